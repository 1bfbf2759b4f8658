"""The requests of a browser: paused before they are sent, ruled on by the page that they come from, and recorded."""
