"""A video as a pandas data frame, one row a frame: python video_to_dataframe.py clip.mp4"""

import sys

from realtime import FaceTracker

with FaceTracker(sys.argv[1]) as tracker:
    table = tracker.to_pandas()
print(table[["capture_time", "AU12_left", "AU12_right"]].describe())
