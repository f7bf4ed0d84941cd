"""Matching photos by learned features, which find what two photos share where SIFT does not: wide angles and soft photos.

Keypoints and descriptors by XFeat, matches by LighterGlue. Both networks are small enough for a CPU.
"""
