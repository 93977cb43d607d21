//! wampy-bench
