"""What people and machines are shown: a `Report` goes in, text comes out. One file per format, `formats` lists them."""
