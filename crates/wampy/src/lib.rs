//! wampy
