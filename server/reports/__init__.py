"""Reports (开标记录): what leaves the hall as a file. So far the bundle `opening.zip` (formats.md
§8).
"""
