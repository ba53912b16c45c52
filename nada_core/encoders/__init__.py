"""Read texts and pictures into one space: CLIP, the starter encoder, ensembles of several."""
