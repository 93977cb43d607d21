//! wampy-python
