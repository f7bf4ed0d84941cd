"""Reading what a person calls a set of photos: a folder or an archive, neither of which is trusted.

`folder` and `archive` find the files, `photo_selection`, `masks` and `left_out` say by their names which are used, and how.
`preparation` prepares a set: `photo` checks one and makes it upright 8-bit sRGB (`pixels`, `missing_end`), `focal` reads its EXIF,
and `content` names what is no photo.

Everything that is wrong with an input is the user's move: a `UsageError` whose message names the file and says what to do.

Not here: which photos belong together, and anything about the model that reads them.
"""
