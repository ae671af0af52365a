"""The schemas of the project's JSON objects, as data (格式表); see ``crypto.formats``."""
