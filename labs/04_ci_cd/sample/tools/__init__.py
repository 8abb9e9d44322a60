"""What CI and CD call: check, build, deploy, smoke."""
