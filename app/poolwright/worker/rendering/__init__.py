"""Pages and mails as pictures and PDFs, to be filed beside the files of an order."""
