"""Events: what an app's server and its users' phones are told, and how it reaches them."""
