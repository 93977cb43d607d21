//! What a request is awaited as, whatever it asks for.

use std::pin::Pin;

use crate::error::Error;

/// A future of a request.
pub(crate) type RequestFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
