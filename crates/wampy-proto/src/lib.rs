//! wampy-proto
