"""What picamera2 knows of single sensors."""
