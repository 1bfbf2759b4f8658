"""The attachments of one order: found on its page, downloaded by the browser or by HTTP, and staged."""
