"""What pages as a browser saved them say: their source and the language that they were shown in; pure."""
