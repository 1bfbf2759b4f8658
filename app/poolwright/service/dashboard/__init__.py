"""The dashboard: one page of HTML, style and script as a browser gets them; nothing is built or comes from outside."""
