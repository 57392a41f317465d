"""The mathematics: from a layer's definitions to the compact form of its derivatives."""
