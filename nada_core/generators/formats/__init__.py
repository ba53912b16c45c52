"""Read and write files of StyleGAN2 networks: one module for each foreign format, and one for ours."""
