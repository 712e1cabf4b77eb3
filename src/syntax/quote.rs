//! temp
/// t
pub fn dotted_name(t: &str) -> String {
    t.to_owned()
}
/// t
pub fn member_name(t: &str) -> String {
    t.to_owned()
}
/// t
pub fn string(t: &str) -> String {
    format!("{t:?}")
}
