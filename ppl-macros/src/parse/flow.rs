//! The control flow of a body, from its syntax: which calls follow, exclude or repeat each other.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Arm, BinOp, Block, Expr, Item, Local, Macro, Pat, Stmt};

use super::body::expressions;
use crate::ast::{Arg, Call, Flow};
use crate::placeholder;

/// Macros that run each argument exactly once. Others are taken to run theirs on some paths only.
const TRANSPARENT: [&str; 13] = [
    "vec",
    "format",
    "print",
    "println",
    "eprint",
    "eprintln",
    "write",
    "writeln",
    "assert",
    "assert_eq",
    "assert_ne",
    "dbg",
    "format_args",
];
/// Macros that never return.
const PANICS: [&str; 4] = ["panic", "unreachable", "todo", "unimplemented"];

/// The control flow of a function's body.
pub(crate) fn of_block(block: &Block, calls: &[Call]) -> Flow {
    Builder::run(calls, |builder| builder.visit_block(block))
}

/// Walks expressions in the order in which they run.
struct Builder<'a> {
    calls: &'a [Call],
    steps: Vec<Flow>,
}

impl<'a> Builder<'a> {
    fn run(calls: &'a [Call], walk: impl FnOnce(&mut Self)) -> Flow {
        let mut builder = Builder { calls, steps: Vec::new() };
        walk(&mut builder);
        match builder.steps.len() {
            1 => builder.steps.remove(0),
            _ => Flow::Seq(builder.steps),
        }
    }

    fn expr(&self, expr: &Expr) -> Flow {
        Builder::run(self.calls, |builder| builder.visit_expr(expr))
    }

    fn block(&self, block: &Block) -> Flow {
        of_block(block, self.calls)
    }

    /// Something that runs on some paths only.
    fn maybe(&mut self, flow: Flow) {
        self.steps.push(Flow::Branch(vec![flow, Flow::Seq(Vec::new())]));
    }

    fn call(&mut self, id: usize) {
        let Some(call) = self.calls.get(id) else { return };
        let mut body = None;
        for arg in &call.args {
            match arg {
                Arg::Plain(Expr::Closure(rows)) if call.verb == crate::ast::Verb::Plate => body = Some(&rows.body),
                arg => self.visit_expr(arg.expr()),
            }
        }
        self.steps.push(Flow::Call(id));
        if let Some(body) = body {
            let body = self.expr(body);
            self.steps.push(Flow::PlateBody(Box::new(body)));
        }
    }

    fn foreign(&mut self, mac: &Macro) {
        let word = mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let inside = match expressions(mac.tokens.clone()) {
            Some(list) => Builder::run(self.calls, |builder| list.iter().for_each(|expr| builder.visit_expr(expr))),
            None => Flow::Seq(placeholder::ids(mac.tokens.clone()).into_iter().map(Flow::Call).collect()),
        };
        if TRANSPARENT.contains(&word.as_str()) {
            self.steps.push(inside);
        } else if inside != Flow::Seq(Vec::new()) {
            self.maybe(inside);
        }
        if PANICS.contains(&word.as_str()) {
            self.steps.push(Flow::Panic);
        }
    }

    /// Guards run one after the other until one holds, then one body runs.
    fn arms(&mut self, arms: &[Arm]) {
        for arm in arms {
            if let Pat::Guard(guarded) = &arm.pat {
                let guard = self.expr(&guarded.guard);
                self.maybe(guard);
            }
        }
        let bodies = arms.iter().map(|arm| self.expr(&arm.body)).collect();
        self.steps.push(Flow::Branch(bodies));
    }

    fn repeat(&mut self, label: Option<&syn::Label>, endless: bool, body: Flow) {
        let label = label.map(|label| label.name.clone());
        self.steps.push(Flow::Loop { label, endless, body: Box::new(body) });
    }

    /// A `return`, `break` or `?`, after what it carries.
    fn jump(&mut self, carried: Option<&Expr>, jump: Flow) {
        carried.into_iter().for_each(|expr| self.visit_expr(expr));
        self.steps.push(jump);
    }
}

impl<'a> Visit<'a> for Builder<'_> {
    fn visit_item(&mut self, _: &'a Item) {}

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Macro(call) => self.foreign(&call.mac),
            _ => visit::visit_stmt(self, stmt),
        }
    }

    fn visit_local(&mut self, local: &'a Local) {
        let Some(init) = &local.init else { return };
        self.visit_expr(&init.expr);
        if let Some((_, diverge)) = &init.diverge {
            let diverge = self.expr(diverge);
            self.maybe(diverge);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Macro(call) => match placeholder::id(expr) {
                Some(id) => self.call(id),
                None => self.foreign(&call.mac),
            },
            Expr::If(choice) => {
                self.visit_expr(&choice.cond);
                let other = choice.else_branch.as_ref().map_or(Flow::Seq(Vec::new()), |(_, other)| self.expr(other));
                let then = self.block(&choice.then_branch);
                self.steps.push(Flow::Branch(vec![then, other]));
            }
            Expr::Match(choice) => {
                self.visit_expr(&choice.expr);
                self.arms(&choice.arms);
            }
            Expr::Binary(both) if matches!(both.op, BinOp::And(_) | BinOp::Or(_)) => {
                self.visit_expr(&both.left);
                let right = self.expr(&both.right);
                self.maybe(right);
            }
            Expr::ForLoop(each) => {
                self.visit_expr(&each.expr);
                let body = self.block(&each.body);
                self.repeat(each.label.as_ref(), false, body);
            }
            Expr::While(each) => {
                let body = Flow::Seq(vec![self.expr(&each.cond), self.block(&each.body)]);
                self.repeat(each.label.as_ref(), false, body);
            }
            Expr::Loop(each) => {
                let body = self.block(&each.body);
                self.repeat(each.label.as_ref(), true, body);
            }
            Expr::Block(syn::ExprBlock { label: Some(label), block, .. }) => {
                let body = Box::new(self.block(block));
                self.steps.push(Flow::Block { label: label.name.clone(), body });
            }
            Expr::Closure(closure) => {
                let body = Box::new(self.expr(&closure.body));
                self.steps.push(Flow::Closure(body));
            }
            Expr::Async(block) => {
                let body = Box::new(self.block(&block.block));
                self.steps.push(Flow::Closure(body));
            }
            Expr::Return(jump) => self.jump(jump.expr.as_deref(), Flow::Return),
            Expr::Break(jump) => self.jump(jump.expr.as_deref(), Flow::Leave(jump.label.clone())),
            Expr::Continue(jump) => self.jump(None, Flow::Leave(jump.label.clone())),
            Expr::Try(tried) => {
                self.visit_expr(&tried.expr);
                self.maybe(Flow::Return);
            }
            Expr::Verbatim(tokens) => {
                let inside = placeholder::ids(tokens.to_token_stream()).into_iter().map(Flow::Call).collect();
                self.maybe(Flow::Seq(inside));
            }
            _ => visit::visit_expr(self, expr),
        }
    }
}
