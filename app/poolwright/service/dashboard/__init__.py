"""The dashboard: one page of HTML, CSS and JavaScript, served as it is; no build step and no external resources."""
