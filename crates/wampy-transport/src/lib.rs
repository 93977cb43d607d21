//! wampy-transport
