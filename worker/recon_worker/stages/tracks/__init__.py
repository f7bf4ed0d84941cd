"""Moving the places of features to where photos agree to a fraction of a pixel, from which cameras become ten times as exact.

After Lindenberger, Sarlin, Larsson and Pollefeys, "Pixel-Perfect Structure-from-Motion with Featuremetric Refinement", ICCV
2021; patches of luminance take the place of learned features.
"""
