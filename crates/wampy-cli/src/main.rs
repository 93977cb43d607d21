//! The `wampy` binary. What it does is in the library, so that the Python wheel brings the same
//! command.

/// The router allocates and frees outgoing buffers all the time; mimalloc does that faster than
/// the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    wampy_cli::main_from(std::env::args_os())
}
