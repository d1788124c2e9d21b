"""`facemirror-live validate`: the program over coded recordings, and how well its Action Units agree with the coders.

`layouts` reads the folders, `agreement` has the measures, `published` what others reported, `run` puts them together.
"""
