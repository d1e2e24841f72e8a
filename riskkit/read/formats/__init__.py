"""One format of files in each module: what it holds, how it is recognised, and its reader."""
