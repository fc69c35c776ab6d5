"""What the services know together about H.264, CMAF and the station's timeline."""
