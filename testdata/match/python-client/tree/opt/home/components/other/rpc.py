"""Logs in to cameras that speak the second version of their maker's calls."""
LOGIN = "/RPC2_Login"
CLIENT = "Dahua3.0-Web3.0"
METHODS = ["global.login", "magicBox.getVendor", "configManager.setConfig"]
