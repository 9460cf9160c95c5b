// protocols by which this recorder of a made-up maker takes cameras of others
var protocols = ["ONVIF", "Hikvision", "Dahua", "Uniview", "Axis Communications", "Panasonic", "Sony"];
var paths = {Hikvision: "/Streaming/Channels/101", Dahua: "/cam/realmonitor", Uniview: "/LAPI/V1.0/Channels"};
var login = {Dahua: ["/RPC2_Login", "/RPC2_Notify_Method"], cloud: ["guardingvision.com", "easy4ipcloud.com"]};
