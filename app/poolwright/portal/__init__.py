"""What is known about a portal, as data: pack, number rules, the verdict on a page. Pure; reads only pack files."""
