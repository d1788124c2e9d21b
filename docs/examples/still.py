"""Every face of a picture, with its head pose and how far both mouth corners are raised: python still.py picture.jpg"""

import sys

import cv2

from realtime import FaceAnalyzer

for face in FaceAnalyzer()(cv2.imread(sys.argv[1])):
    print(face.face_id, face.presence, face.pose, face.action_units.left[12], face.action_units.right[12])
