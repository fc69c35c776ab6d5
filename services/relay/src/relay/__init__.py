"""Pushes a camera from the bus to RTSP, RTMP and WHIP."""
