//! What command lines start: plain ones, and the tricks of public write-ups on getting past filters.

use super::{DOC, fields, parse};
use crate::builtins::testing;
use crate::limits;
use crate::ty::{Field, Ty};
use crate::value::Value;
use proptest::prelude::*;

fn member<'v>(value: &'v Value, fields: &[Field], name: &str) -> &'v Value {
    let at = fields.iter().position(|f| f.name == name).expect(name);
    &value.fields().unwrap()[at]
}

fn element(fields: &[Field], name: &str) -> Ty {
    match &fields.iter().find(|f| f.name == name).expect(name).ty {
        Ty::List { element, .. } => (**element).clone(),
        other => panic!("{other}"),
    }
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        other => panic!("{other:?}"),
    }
}

fn texts(value: &Value) -> Vec<&str> {
    list(value).iter().map(|v| v.text().unwrap()).collect()
}

fn names(value: &Value, element: &Ty) -> Vec<String> {
    let Ty::Enum { members, .. } = element else {
        panic!()
    };
    let name = |v: &Value| match v {
        Value::Enum(m) => members[*m as usize].clone(),
        other => panic!("{other:?}"),
    };
    list(value).iter().map(name).collect()
}

/// What a policy sees, as text: `via|program arg arg`, commands between ` ; `, then doubts after ` ? `;
/// what is not known, or empty, is `_`.
fn read(text: &str) -> String {
    let fields = fields();
    let value = Value::Parsed(Box::new(parse(text).unwrap()));
    let Ty::Record(parts) = element(&fields, "commands") else {
        panic!()
    };
    let mut shown: Vec<String> = Vec::new();
    for command in list(member(&value, &fields, "commands")) {
        let mut words = Vec::new();
        let via = texts(member(command, &parts, "via"));
        let program = member(command, &parts, "program").text().unwrap();
        let program = if program.is_empty() { "_" } else { program };
        words.push(
            via.iter()
                .chain([&program])
                .copied()
                .collect::<Vec<_>>()
                .join("|"),
        );
        words.extend(texts(member(command, &parts, "args")).iter().map(|arg| {
            if arg.is_empty() {
                "_".to_owned()
            } else {
                arg.replace('\n', "\\n")
            }
        }));
        shown.push(words.join(" "));
    }
    let mut out = shown.join(" ; ");
    let doubts = names(member(&value, &fields, "doubts"), &element(&fields, "doubts"));
    assert_eq!(
        *member(&value, &fields, "opaque"),
        Value::Bool(!doubts.is_empty()),
        "{text}"
    );
    if !doubts.is_empty() {
        out.push_str(&format!(" ? {}", doubts.join(" ")));
    }
    out
}

fn all(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(text, expected)| read(text) != *expected)
        .map(|(text, expected)| format!("{text:?}\n  expected {expected}\n  found    {}", read(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn examples() {
    testing::run(&DOC, |text| parse(text).map(|command| command.text.into()));
}

#[test]
fn the_manual_names_every_part() {
    let names: Vec<String> = fields().into_iter().map(|f| f.name).collect();
    let manual: Vec<&str> = DOC.parts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, manual);
}

#[test]
fn verbs() {
    let verbs = |text: &str| {
        let fields = fields();
        let value = Value::Parsed(Box::new(parse(text).unwrap()));
        let Ty::Record(parts) = element(&fields, "commands") else {
            panic!()
        };
        let commands = list(member(&value, &fields, "commands"));
        let verb = |c: &Value| member(c, &parts, "verb").text().unwrap().to_owned();
        commands.iter().map(verb).collect::<Vec<_>>().join(" ")
    };
    for (text, expected) in [
        ("git push", "push"),
        ("git -C push status", "status"),
        ("git -c a.b=c --no-pager --git-dir=x --work-tree y log", "log"),
        ("git -C", ""),
        ("git -Cx push", "push"),
        ("git --unheard push", ""),
        ("git --version push", ""),
        ("git $X push", ""),
        ("git -C $X push", ""),
        ("git -C \"$X\" push", "push"),
        ("git", ""),
        ("/usr/lib/git-core/git-push x", "push push"),
        ("GIT.exe push", "push push"),
        ("kubectl -n prod delete pod x", "delete"),
        ("docker --context x rm y", "rm"),
        ("cargo +nightly build", ""),
        ("terraform -chdir=x destroy", ""),
        ("sudo -u x git push", "push"),
        ("make clean", "clean"),
        ("make -j clean", ""),
        ("ls > push", ""),
    ] {
        assert_eq!(verbs(text).trim(), expected, "{text}");
    }
}

#[test]
fn words_and_quotes() {
    all(&[
        ("", ""),
        ("  # nothing", ""),
        ("ls -l /tmp", "ls -l /tmp"),
        ("ls\t-l # rm", "ls -l"),
        ("a#b", "a#b"),
        ("r''m -rf /", "rm -rf /"),
        ("r\"\"m 'a b' \"c d\"", "rm a b c d"),
        ("\\rm x", "rm x"),
        ("r\\m x", "rm x"),
        ("r\\\nm x", "rm x"),
        ("echo \"a\\\nb\" 'a\\\nb'", "echo ab a\\\\nb"),
        (r#"echo "\$x \a \\ \"" '\'"#, r#"echo $x \a \ " \"#),
        ("echo $ \"$\" a$", "echo $ $ a$"),
        ("echo {} @{1} stash@{0}", "echo {} @{1} stash@{0}"),
        ("[ a = b ]", "[ a = b ]"),
        ("echo a=b ~x", "echo a=b _ ? argument"),
        ("ls é", "ls é"),
    ]);
}

#[test]
fn what_is_not_known_is_a_doubt() {
    all(&[
        ("ls $HOME", "ls _ ? argument"),
        ("ls \"$HOME\"", "ls _ ? argument"),
        ("ls *.rs", "ls _ ? argument"),
        ("ls {a,b}", "ls _ ? argument"),
        ("ls ~/x", "ls _ ? argument"),
        ("exit $?", "exit _ ? argument"),
        ("eval -- rm x", "eval -- rm x ; eval|rm x"),
        ("jobs -x rm x", "jobs -x rm x ; _ ? wrapper"),
        ("jobs -l", "jobs -l"),
        ("test ${z:--v} 'a[1]'", "test _ a[1] ; _ ? argument evaluation"),
        ("printf {-v,x}", "printf _ ; _ ? argument evaluation"),
        ("[ \"$x\" = y ]", "[ _ = y ] ? argument"),
        ("echo $((1 + 0x1F))", "echo _ ? argument"),
        ("echo $((1 + x))", "echo _ ; _ ? argument evaluation"),
        ("x='a[$(rm y)]'; ls $((x))", "ls _ ; _ ? argument evaluation"),
        ("ls \"${x:1:2}\"", "ls _ ? argument"),
        ("ls \"${x: -1}\"", "ls _ ? argument"),
        // The subscript of an array that gets a descriptor is evaluated.
        ("ls {b[y]}>&1", "ls _ ; _ ? argument evaluation"),
        ("ls \\\n{b[y]}<<<x", "ls _ ; _ ? argument evaluation"),
        ("ls {b[\"y\"]}<>f", "> f ; ls _ ; _ ? argument evaluation"),
        ("{b[${y}]}>&1 ls", "_ ls ; _ ? evaluation program"),
        ("ls x{b[y]}>&1", "ls _ ? argument"),
        ("ls {b[y]} >&1", "ls _ ? argument"),
        ("ls \"${x:y}\"", "ls _ ; _ ? argument evaluation"),
        ("ls \"${x:1:y}\"", "ls _ ; _ ? argument evaluation"),
        ("ls \"${x:-y}\"", "ls _ ? argument"),
        ("$x rm", "_ rm ? program"),
        ("$(echo rm) -rf /", "echo rm ; _ -rf / ? program"),
        ("`echo rm` -rf /", "echo rm ; _ -rf / ? program"),
        ("\"$(echo rm)\" /", "echo rm ; _ / ? program"),
        ("${IFS}rm", "_ ? program"),
        ("cat${IFS}/etc/passwd", "_ ? program"),
        ("/bin/r? x", "_ x ? program"),
        ("/???/rm x", "_ x ? program"),
        ("{rm,-rf,/}", "_ ? program"),
        ("$'\\x72m' -rf /", "_ -rf / ? program"),
        ("$\"rm\" x", "_ x ? program"),
        ("~/rm x", "_ x ? program"),
        ("=rm x", "_ x ? program"),
        ("r\u{200b}m x", "_ x ? program"),
        ("r\u{a0}m x", "_ x ? program"),
        ("'r\u{17f}m' x", "r\u{17f}m x ; _ ? program"),
        ("ls\r", "_ ? program"),
        ("ls -l\r\nrm x", "ls _ ; rm x ? argument"),
        ("'' x", "_ x ; _ ? program"),
        ("bin/ x", "_ x ; bin/ x ; _ ? program"),
    ]);
}

#[test]
fn lists_and_compounds() {
    all(&[
        ("a&&b||c|d;e&f\ng", "a ; b ; c ; d ; e ; f ; g"),
        ("a &&\n b |\n # x\n c;", "a ; b ; c"),
        ("(a; b) && { c; }", "a ; b ; c"),
        ("if a; then b; elif c; then d; else e; fi", "a ; b ; c ; d ; e"),
        ("while a; do b; done; until c\ndo d\ndone", "a ; b ; c ; d"),
        ("for f in a b; do rm $f; done", "rm _ ? argument"),
        ("for f do rm x; done", "rm x"),
        ("case $x in (a|b) c;; *) d; esac", "c ; d"),
        ("case x in esac", ""),
        ("! a | b", "a ; b"),
        ("f() { rm x; }; f", "rm x ; f ; _ ? definition"),
        (":(){ :|:& };:", ": ; : ; : ; _ ? definition"),
        ("ls() ( rm x )\nls", "rm x ; ls ; _ ? definition"),
        ("echo if then { } fi", "echo if then { } fi"),
        ("\"if\" x", "if x ; _ ? program"),
        (
            "echo $(a; b $(c)) `d \\`e\\``",
            "c ; a ; b _ ; e ; d _ ; echo _ _ ? argument",
        ),
    ]);
}

#[test]
fn what_cannot_be_read_in_one_way_is_opaque() {
    for text in [
        "rm 'x",
        "rm \"x",
        "rm `x",
        "rm $(x",
        "rm ${x",
        "rm $((x",
        "rm \\",
        "(rm x",
        "{ rm x;",
        "rm x)",
        "rm x;;",
        "rm x &&",
        "rm x |",
        "; rm x",
        "rm x; if",
        "rm x; then",
        "[[ -f x ]] && rm x",
        "((x)); rm x",
        "{ ls; } {b[y]}>&1",
        "rm x ((",
        "rm <(y) <(",
        "function f { rm x; }",
        "coproc rm x",
        "select x in y; do rm; done",
        "rm @(x)",
        "rm x=(y)",
        "rm $[x]",
        "cat <<E\nrm x",
        "cat <<E",
        "cat <<'a\nb'\nx",
        "rm $'a\\'b'",
        "rm ${x:-$(y)}",
        "rm ${x:-'y'}",
        "time { rm x; }",
        "repeat 3 rm x",
        "rm > ",
        "rm > x(y)",
    ] {
        let read = read(text);
        assert!(
            read.contains('_') && read.contains(" ? ") && read.contains("syntax"),
            "{text:?}: {read}"
        );
    }
    // What comes before is kept.
    all(&[
        ("rm -rf / $(", "rm -rf / _ ; _ ? argument syntax"),
        ("rm -rf /; echo 'x", "rm -rf / ; echo _ ; _ ? argument syntax"),
        ("rm -rf / && ls (", "rm -rf / ; ls _ ; _ ? argument syntax"),
    ]);
}

#[test]
fn redirections() {
    all(&[
        ("echo x > f", "> f ; echo x"),
        ("echo x>f", "> f ; echo x"),
        (">f", "> f"),
        ("> f echo x", "> f ; echo x"),
        ("echo x 2>&1 >/dev/null 2>/dev/null", "echo x"),
        ("echo x >> f 2>> g", "> f ; > g ; echo x"),
        ("echo x &> f", "> f ; echo x"),
        ("echo x >& f", "> f ; echo x"),
        ("echo x >| f <> g", "> f ; > g ; echo x"),
        ("cat < f", "< f ; cat"),
        ("cat <&0 3<&-", "cat"),
        ("echo x > $f", "> _ ; echo x ? redirect"),
        ("echo x > \"$(rm y)\"", "rm y ; > _ ; echo x ? redirect"),
        ("echo x >!f", "> _ ; echo x ? redirect"),
        ("echo x 10> f", "> f ; echo x _ ? argument"),
        ("echo x {fd}> f", "> f ; echo x _ ? argument"),
        ("{ a; b; } > f 2>&1", "> f ; a ; b"),
        ("cat <(rm x) >(rm y)", "rm x ; rm y ; cat _ _ ? argument"),
        ("exec 3<>/dev/tcp/h/80", "> /dev/tcp/h/80 ; exec"),
        ("cat <<EOF > f\n$(rm x)\nEOF\nls", "> f ; rm x ; cat ; ls"),
        ("cat <<'EOF'\n$(rm x)\nEOF", "cat"),
        ("cat <<-\\EOF\n\t`rm x`\n\tEOF", "cat"),
        ("cat <<A <<B\na\nA\n`rm x`\nB", "rm x ; cat"),
        ("cat <<E && rm x\ny\nE\nrm z", "cat ; rm x ; rm z"),
        ("cat <<E\na\\\nE\nE\n", "cat ; _ ? syntax"),
        ("a <(cat <<E\nErm)\nE\n)", "cat ; a _ ; _ ? argument syntax"),
        (
            "git commit -m \"$(cat <<'EOF'\nfix: `x` $y\n\nEOF\n)\"",
            "cat ; git commit -m fix: `x` $y",
        ),
        (
            "git commit -m \"$(cat <<EOF\nfix $y\nEOF\n)\"",
            "cat ; git commit -m _ ? argument",
        ),
        (
            "git commit -m \"$(cat f <<'EOF'\nfix\nEOF\n)\"",
            "cat f ; git commit -m _ ? argument",
        ),
    ]);
}

#[test]
fn wrappers() {
    all(&[
        ("sudo rm x", "sudo rm x ; sudo|rm x"),
        ("sudo -u root -n -- rm x", "sudo -u root -n -- rm x ; sudo|rm x"),
        (
            "sudo -uroot --group=g rm x",
            "sudo -uroot --group=g rm x ; sudo|rm x",
        ),
        ("sudo -nu \"$U\" rm x", "sudo -nu _ rm x ; sudo|rm x ? argument"),
        ("sudo $F rm x", "sudo _ rm x ; _ ? argument wrapper"),
        ("sudo --unknown rm x", "sudo --unknown rm x ; _ ? wrapper"),
        ("sudo -s", "sudo -s ; _ ? evaluation"),
        ("sudo -i rm x", "sudo -i rm x ; sudo|rm x"),
        ("sudo -l", "sudo -l"),
        ("sudo LANG=C rm x", "sudo LANG=C rm x ; sudo|rm x"),
        (
            "sudo PATH=/x rm x",
            "sudo PATH=/x rm x ; sudo|rm x ; _ ? assignment",
        ),
        ("env", "env"),
        ("env -i rm x", "env -i rm x ; env|rm x"),
        ("env - rm x", "env - rm x ; env|rm x"),
        ("env -u X LANG=C rm x", "env -u X LANG=C rm x ; env|rm x"),
        ("env A=1 rm x", "env A=1 rm x ; env|rm x ; _ ? assignment"),
        ("env -S \"rm -rf /\"", "env -S rm -rf / ; env|rm -rf /"),
        ("env -S'rm ${x}'", "env -Srm ${x} ; _ ? wrapper"),
        (
            "env --split-string='LANG=C rm' x",
            "env --split-string=LANG=C rm x ; env|rm x",
        ),
        ("command rm x", "command rm x ; command|rm x"),
        ("command -v rm", "command -v rm"),
        ("command -p rm x", "command -p rm x ; command|rm x"),
        (
            "builtin cd x; exec -a y rm x",
            "builtin cd x ; builtin|cd x ; exec -a y rm x ; exec|rm x",
        ),
        (
            "nohup nice -n 5 rm x",
            "nohup nice -n 5 rm x ; nohup|nice -n 5 rm x ; nohup|nice|rm x",
        ),
        ("nice -5 rm x", "nice -5 rm x ; nice|rm x"),
        ("time -p rm x", "time -p rm x ; time|rm x"),
        ("time ! rm x", "time ! rm x ; time|! rm x ; _ ? program"),
        ("time LANG=C rm x", "time LANG=C rm x ; time|rm x"),
        ("timeout 5 rm x", "timeout 5 rm x ; timeout|rm x"),
        (
            "timeout -k 1 -s KILL 5s rm x",
            "timeout -k 1 -s KILL 5s rm x ; timeout|rm x",
        ),
        ("timeout \"5$x\" rm x", "timeout _ rm x ; timeout|rm x ? argument"),
        ("timeout $x rm x", "timeout _ rm x ; _ ? argument wrapper"),
        ("stdbuf -oL rm x", "stdbuf -oL rm x ; stdbuf|rm x"),
        ("xargs rm", "xargs rm ; xargs|rm _ ? argument"),
        (
            "xargs -0 -n1 -I{} rm {}",
            "xargs -0 -n1 -I{} rm {} ; xargs|rm _ _ ? argument",
        ),
        ("xargs -I{} rm {}", "xargs -I{} rm {} ; xargs|rm _ ? argument"),
        (
            "xargs -I % sh -c 'rm %'",
            "xargs -I % sh -c rm % ; xargs|sh -c _ ; _ ? argument evaluation",
        ),
        ("xargs -I{} {} x", "xargs -I{} {} x ; xargs|_ x ? program"),
        ("xargs sudo", "xargs sudo ; xargs|sudo _ ; _ ? argument wrapper"),
        (
            "xargs sh -c 'rm \"$@\"' _",
            "xargs sh -c rm \"$@\" _ ; xargs|sh -c rm \"$@\" _ _ ; xargs|sh|rm _ ? argument",
        ),
        ("xargs", "xargs"),
        (
            "find . -exec rm {} +",
            "find . -exec rm {} + ; find|rm _ ? argument",
        ),
        (
            "find . -exec rm {} \\; -ok chmod +x {} ';'",
            "find . -exec rm {} ; -ok chmod +x {} ; ; find|rm _ ; find|chmod +x _ ? argument",
        ),
        (
            "find . -exec sh -c 'rm {}' \\;",
            "find . -exec sh -c rm {} ; ; find|sh -c _ ; _ ? argument evaluation",
        ),
        ("find . -exec rm", "find . -exec rm ; _ ? wrapper"),
        ("find . -delete", "find . -delete"),
        ("find $d -name x", "find _ -name x ; _ ? argument wrapper"),
        ("find ./\"$d\" -name x", "find _ -name x ? argument"),
        ("fd x -x rm", "fd x -x rm ; _ ? wrapper"),
        ("busybox rm x", "busybox rm x ; busybox|rm x"),
        (
            "busybox sh -c 'rm x'",
            "busybox sh -c rm x ; busybox|sh -c rm x ; busybox|sh|rm x",
        ),
        ("watch -n 1 rm x", "watch -n 1 rm x ; watch|rm x"),
        ("watch 'a; rm x'", "watch a; rm x ; watch|a ; watch|rm x"),
        (
            "ssh -p 22 h 'a && rm x'",
            "ssh -p 22 h a && rm x ; ssh|a ; ssh|rm x",
        ),
        ("ssh h -l u rm x", "ssh h -l u rm x ; ssh|rm x"),
        ("ssh h", "ssh h ; _ ? evaluation"),
        (
            "ssh -o ProxyCommand=x h rm x",
            "ssh -o ProxyCommand=x h rm x ; ssh|rm x ; _ ? wrapper",
        ),
        ("su -c 'rm x'", "su -c rm x ; su|rm x"),
        ("su - u -c 'rm x'", "su - u -c rm x ; su|rm x"),
        ("su", "su ; _ ? evaluation"),
        ("flock f rm x", "flock f rm x ; flock|rm x"),
        ("flock f -c 'rm x'", "flock f -c rm x ; flock|rm x"),
        ("strace rm x", "strace rm x ; _ ? wrapper"),
        ("parallel rm ::: x", "parallel rm ::: x ; _ ? wrapper"),
        (
            "/lib64/ld-linux-x86-64.so.2 /bin/rm x",
            "ld-linux-x86-64.so.2 /bin/rm x ; /lib64/ld-linux-x86-64.so.2 /bin/rm x ; _ ? wrapper",
        ),
    ]);
}

#[test]
fn text_that_is_run() {
    all(&[
        ("sh -c 'rm -rf /'", "sh -c rm -rf / ; sh|rm -rf /"),
        ("bash -lc \"a; rm x\"", "bash -lc a; rm x ; bash|a ; bash|rm x"),
        (
            "bash -euo pipefail -c 'rm x' y",
            "bash -euo pipefail -c rm x y ; bash|rm x",
        ),
        ("bash -c \"$x\"", "bash -c _ ; _ ? argument evaluation"),
        ("bash -c \"rm $x\"", "bash -c _ ; _ ? argument evaluation"),
        ("bash --rcfile x -c 'y'", "bash --rcfile x -c y ; _ ? wrapper"),
        ("bash -ic y", "bash -ic y ; bash|y ; _ ? definition"),
        ("bash x.sh", "bash x.sh"),
        ("bash <(curl x)", "curl x ; bash _ ; _ ? argument evaluation"),
        ("bash /dev/stdin", "bash /dev/stdin ; _ ? evaluation"),
        ("bash <<< \"rm x\"", "bash ; bash|rm x"),
        ("bash <<< \"rm $x\"", "bash ; _ ? evaluation"),
        ("bash <<'E'\nrm x\nE", "bash ; bash|rm x"),
        (
            "sudo sh -s <<E\nrm x\nE",
            "sudo sh -s ; sudo|sh -s ; sudo|sh|rm x",
        ),
        (
            "echo cm0= | base64 -d | sh",
            "echo cm0= ; base64 -d ; sh ; _ ? evaluation",
        ),
        ("curl x | bash -s -- y", "curl x ; bash -s -- y ; _ ? evaluation"),
        ("sh < f", "< f ; sh ; _ ? evaluation"),
        ("fish -c 'rm x'", "fish -c rm x ; _ ? evaluation"),
        ("eval rm x", "eval rm x ; eval|rm x"),
        ("eval \"r\" \"'m' x\"", "eval r 'm' x ; eval|r m x"),
        ("eval $x", "eval _ ; _ ? argument evaluation"),
        (". ./x", ". ./x ; _ ? evaluation"),
        ("source x", "source x ; _ ? evaluation"),
        ("trap 'rm x' EXIT", "trap rm x EXIT ; trap|rm x"),
        ("trap - EXIT", "trap - EXIT"),
        (
            "sh -c \"sh -c 'sh -c \\\"rm x\\\"'\"",
            "sh -c sh -c 'sh -c \"rm x\"' ; sh|sh -c sh -c \"rm x\" ; sh|sh|sh -c rm x ; sh|sh|sh|rm x",
        ),
        ("sh -c 'rm '\\''x'", "sh -c rm 'x ; sh|rm _ ; _ ? argument syntax"),
    ]);
}

#[test]
fn names_and_places_of_programs() {
    all(&[
        ("/bin/rm x", "rm x"),
        ("/usr/local/bin/git push", "git push"),
        ("./rm x", "rm x ; ./rm x"),
        ("/bin/../tmp/rm x", "rm x ; /bin/../tmp/rm x"),
        ("RM x", "RM x ; rm x"),
        (
            "/tmp/SUDO rm x",
            "SUDO rm x ; /tmp/SUDO rm x ; sudo rm x ; sudo|rm x",
        ),
        ("rm.exe x", "rm.exe x ; rm x"),
        ("bash5.2 -c 'rm x'", "bash5.2 -c rm x ; bash5.2|rm x"),
    ]);
}

#[test]
fn the_shell_itself() {
    all(&[
        ("x=1; ls", "ls"),
        ("LANG=C ls", "ls"),
        ("PATH=/tmp ls", "ls ; _ ? assignment"),
        ("PATH=/tmp; ls", "ls ; _ ? assignment"),
        ("path=/tmp; ls", "ls ; _ ? assignment"),
        ("LD_PRELOAD=x ls", "ls ; _ ? assignment"),
        ("x=1 ls", "ls ; _ ? assignment"),
        ("x=$(rm y)", "rm y ? argument"),
        ("PATH+=x ls", "ls ; _ ? assignment"),
        ("for PATH in x; do ls; done", "ls ; _ ? assignment"),
        ("export LANG=C x", "export LANG=C x ; _ ? assignment"),
        ("export PATH", "export PATH ; _ ? assignment"),
        ("read PATH", "read PATH ; _ ? assignment"),
        ("read -r line", "read -r line"),
        ("read 'a[$(rm x)]'", "read a[$(rm x)] ; _ ? evaluation"),
        ("printf -v PATH x", "printf -v PATH x ; _ ? assignment"),
        ("printf %s PATH", "printf %s PATH"),
        ("test -v 'a[$(rm x)]'", "test -v a[$(rm x)] ; _ ? evaluation"),
        ("echo ${PATH:=/tmp}", "echo _ ; _ ? argument assignment"),
        ("echo ${x@P}", "echo _ ; _ ? argument evaluation"),
        ("echo ${!x}", "echo _ ; _ ? argument evaluation"),
        ("echo ${x} ${x:-y} ${#x} ${x[@]}", "echo _ _ _ _ ? argument"),
        ("alias ls=rm\nls", "alias ls=rm ; ls ; _ ? definition"),
        (
            "hash -p /bin/rm ls; ls",
            "hash -p /bin/rm ls ; ls ; _ ? definition",
        ),
        ("set -euo pipefail; ls", "set -euo pipefail ; ls"),
        ("set -k; ls", "set -k ; ls ; _ ? definition"),
        ("set -- a b", "set -- a b"),
        ("let x=1", "let x=1 ; _ ? evaluation"),
    ]);
}

/// One part of each command, as text.
fn part(text: &str, name: &str) -> Vec<String> {
    let fields = fields();
    let value = Value::Parsed(Box::new(parse(text).unwrap()));
    let Ty::Record(parts) = element(&fields, "commands") else {
        panic!()
    };
    let commands = list(member(&value, &fields, "commands"));
    commands
        .iter()
        .map(|command| match (name, member(command, &parts, name)) {
            ("operands", Value::List(items)) => {
                let one = |item: &Value| {
                    let fields = item.fields().unwrap();
                    let path = fields[1].text().map_or("-".to_owned(), str::to_owned);
                    format!("{}={path}", fields[0].text().unwrap())
                };
                items.iter().map(one).collect::<Vec<_>>().join(" ")
            }
            (_, Value::List(_)) => texts(member(command, &parts, name)).join(" "),
            (_, value) => format!("{value:?}"),
        })
        .collect()
}

#[test]
fn flags_and_operands() {
    for (text, flags, operands) in [
        ("rm -rf a /b/../c", "-f -r -rf", "a=a /b/../c=/c"),
        (
            "git push --force=x -- --mirror -f",
            "--force",
            "push=push x=x --mirror=--mirror -f=-f",
        ),
        ("tar -C/x -xf - ..", "-C -C/x -f -x -xf", "/x=/x -=- ..=-"),
        (
            "cc -I../x -o./y -O2",
            "-2 -I -I../x -O -O2 -o -o./y",
            "../x=- ./y=y",
        ),
        ("dd if=/dev/zero of=/dev/sda", "", "if=/dev/zero=- of=/dev/sda=-"),
        (
            "rm //etc/x ///a//b /../etc /a/../../b/. / //",
            "",
            "//etc/x=/etc/x ///a//b=/a/b /../etc=/etc /a/../../b/.=/b /=/ //=/",
        ),
        ("rm ../../etc ..", "", "../../etc=- ..=-"),
        ("scp h:/x /y", "", "h:/x=- /y=/y"),
        ("ls $x -l", " -l -l", "=-"),
        ("ls ./$x", "", "=-"),
        ("ls ./*", "", "=-"),
        ("ls *", "", "=-"),
    ] {
        let found = part(text, "flags");
        if !matches!(text, "ls $x -l" | "ls ./$x" | "ls *") {
            assert_eq!(found, [flags], "{text}");
        }
        assert_eq!(part(text, "operands"), [operands], "{text}");
    }
    assert_eq!(part("ls $x -l", "flags"), [" -l"]);
    assert_eq!(part("ls ./\"$x\"", "flags"), [""]);
    assert_eq!(part("cd /etc && rm a /b", "operands"), ["/etc=/etc", "a=- /b=/b"]);
    assert_eq!(part("env -C /etc rm a", "operands")[1], "a=-");
}

#[test]
fn bounds_hold() {
    assert!(parse(&"x".repeat(limits::COMMAND_BYTES + 1)).is_err());
    let deep = |open: &str, close: &str, n: usize| format!("{}rm x{}", open.repeat(n), close.repeat(n));
    for (open, close) in [
        ("$(", ")"),
        ("( ", ")"),
        ("{ ", "; }"),
        ("if ", "; then x; fi"),
        ("f() { ", "; }"),
        ("sudo ", ""),
        ("f() ", ""),
        ("\"$(", ")\""),
        ("${x", "}"),
        ("$((", "))"),
        ("case x in x) ", ";; esac"),
        ("<(", ")"),
        ("for x in y; do ", "; done"),
        ("eval ", ""),
        ("xargs ", ""),
        ("<<E ", ""),
        ("find -exec ", " ;"),
        ("busybox ", ""),
        ("env -S 'env -S ' ", ""),
    ] {
        for n in [40, limits::COMMAND_BYTES / (open.len() + close.len()) - 8] {
            let read = read(&deep(open, close, n));
            assert!(
                read.contains(" ? "),
                "{open:?} {n}: {}",
                read.chars().take(200).collect::<String>()
            );
        }
    }
    for (open, close) in [
        ("! ", ""),
        ("\n", ""),
        ("x && ", ""),
        ("x | ", ""),
        ("x;", ""),
        ("x=", ""),
        ("x=y ", ""),
        ("{", "}"),
        ("'", "'"),
        ("`", "`"),
        ("\\", ""),
        (">", ""),
        (">f ", ""),
        ("&", ""),
        ("-", ""),
        ("-a ", ""),
        ("/a", ""),
        ("#", ""),
        ("$", ""),
    ] {
        read(&deep(
            open,
            close,
            limits::COMMAND_BYTES / (open.len() + close.len()) - 8,
        ));
    }
    let flags: String = (0..20_000).map(|n| format!(" -{n:x}")).collect();
    assert!(read(&format!("ls{flags}")).contains("syntax"));
}

/// A word in quotes, as a shell reads back exactly.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in prop_oneof![
        "\\PC{0,60}",
        "[a-z '\"\\\\$(){};&|<>`*?~#=\n!\\[\\]-]{0,60}",
        prop::collection::vec(prop::sample::select(&[
            "rm", "-rf", "/", "$(", ")", "`", "'", "\"", " ", " ", ";", "&&", "|", "<<E", "\nE\n", "sh -c", "sudo", "{", "}", "if",
            "then", "fi", "case x in", "esac", "\\", "${", "$((", "xargs", "find . -exec", "\\;", "<(", ">", "2>&1", "env", "A=b", "eval",
        ][..]), 0..20).prop_map(|words| words.concat()),
    ]) {
        let Ok(command) = parse(&text) else { return Ok(()) };
        prop_assert_eq!(&*command.text, text.as_str());
        prop_assert_eq!(parse(&text).unwrap(), command);
        read(&text);
    }

    #[test]
    fn quoted_words_are_read_back(words in prop::collection::vec("\\PC{0,12}|[ -~\n\t]{0,12}", 1..6)) {
        let text = format!("p {}", words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" "));
        let found = parse(&text).unwrap();
        let fields = fields();
        let value = Value::Parsed(Box::new(found));
        let Ty::Record(parts) = element(&fields, "commands") else { panic!() };
        prop_assert_eq!(member(&value, &fields, "opaque"), &Value::Bool(false));
        let commands = list(member(&value, &fields, "commands"));
        prop_assert_eq!(commands.len(), 1);
        prop_assert_eq!(texts(member(&commands[0], &parts, "args")), words.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// What is not listed is a doubt, and no list of allowed programs covers it.
#[test]
fn lists_are_bounded_together() {
    let fields = fields();
    let Ty::Record(parts) = element(&fields, "commands") else {
        panic!()
    };
    let cluster = "ls -abcdefghijklmnopqrstuvwxyz0123456789;";
    for (text, fits) in [
        (format!("rm {}", "f ".repeat(8_000)), true),
        (format!("sudo rm {}", "f ".repeat(8_000)), true),
        (format!("sudo nice rm {}", "f ".repeat(8_000)), false),
        (cluster.repeat(400), true),
        (cluster.repeat(500), false),
    ] {
        let parsed = parse(&text).unwrap().parts;
        let commands = list(member(&parsed, &fields, "commands"));
        for name in ["args", "flags", "operands", "via"] {
            let all = commands.iter().map(|c| list(member(c, &parts, name)).len());
            assert!(all.sum::<usize>() <= limits::COMMAND_ELEMENTS, "{name}");
        }
        let programs = texts(member(&parsed, &fields, "programs"));
        assert_eq!(programs.contains(&""), !fits, "{} bytes", text.len());
        assert_eq!(*member(&parsed, &fields, "opaque"), Value::Bool(!fits));
    }
}
