"""Turn latents into pictures: MobileStyleGAN and StyleGAN2, loading their files, rendering, walks."""
