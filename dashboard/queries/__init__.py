"""What pages show, read with storage's readers: pure functions of a reading session and arguments."""
