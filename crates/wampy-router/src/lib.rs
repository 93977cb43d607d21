//! wampy-router
