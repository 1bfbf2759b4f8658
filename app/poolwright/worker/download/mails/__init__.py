"""Mails among the attachments: what is attached to them."""
