"""The forms in which APIs are described, one file each: it reads a document into a description."""
