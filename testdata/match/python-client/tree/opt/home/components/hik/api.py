"""Reads sensors of cameras that speak ISAPI."""
NAMESPACES = ("http://www.hikvision.com/ver20/XMLSchema", "http://www.isapi.org/ver20/XMLSchema")
def system(session, base):
    return session.get(base + "/ISAPI/System/deviceInfo")
