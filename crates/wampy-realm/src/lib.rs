//! wampy-realm
