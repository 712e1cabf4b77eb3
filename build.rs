//! Turns `grammar/` into the parser. In: `grammar/gaitpol.lalrpop`. Out: `gaitpol.rs` in the build directory. It does
//! nothing else.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script's input is its environment"
)]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=grammar");
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    lalrpop::Configuration::new()
        .set_in_dir("grammar")
        .set_out_dir(out)
        .emit_rerun_directives(true)
        .force_build(true)
        .process()
}
