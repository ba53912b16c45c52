"""Files of StyleGAN2 networks: one converter a foreign format, and ours."""
