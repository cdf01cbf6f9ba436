#pragma once

/* Removes a folder and everything in it, at most 16 folders deep, and reports what cannot be removed (message.h).  Another user
 * may own folders in it and change them meanwhile: no link is followed, neither one that is there nor one that takes the place
 * of a folder. */
void folder_remove(const char *path);
