"""What describes the API: its contract, its schemas, and the document made of them."""
