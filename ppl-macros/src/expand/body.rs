//! The body: every statement of the language becomes a call on the handler.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprBlock, ExprClosure, ExprForLoop, Path, Stmt, parse_quote};

use super::parts::Parts;
use super::site;
use crate::ast::Kind;
use crate::checked::{Action, Checked, Mark, Rows, What};
use crate::name::Name;
use crate::placeholder;

/// What the statements need to know of the function around them.
pub(crate) struct Body<'a> {
    actions: &'a [Option<Action>],
    /// The model that a guide serves.
    model: Option<&'a Path>,
    /// The type of the arguments.
    tuple: TokenStream,
}

impl<'a> Body<'a> {
    pub(crate) fn of(checked: &'a Checked, parts: &Parts<'_>) -> Self {
        let model = match &checked.head.kind {
            Kind::Guide { model, .. } => model.as_ref(),
            Kind::Model => None,
        };
        Body { actions: &checked.actions, model, tuple: parts.tuple() }
    }

    /// The rewritten body.
    pub(crate) fn block(&self, block: &Block) -> TokenStream {
        let mut block = block.clone();
        Shapes(self).visit_block_mut(&mut block);
        self.fill(block.into_token_stream())
    }

    fn expr(&self, expr: &Expr) -> TokenStream {
        let mut expr = expr.clone();
        Shapes(self).visit_expr_mut(&mut expr);
        self.fill(expr.into_token_stream())
    }

    fn fill(&self, tokens: TokenStream) -> TokenStream {
        placeholder::fill(tokens, &mut |id| self.action(id).map(|action| self.statement(action)).unwrap_or_default())
    }

    fn action(&self, id: usize) -> Option<&'a Action> {
        self.actions.get(id)?.as_ref()
    }

    // Input:  `sample!("z": T, Normal::new(a, b))`
    // Output: `identity::<T>(sample(&mut *__ppl_h, Address::fixed("z"), Normal::new(a, b)))`
    fn statement(&self, action: &Action) -> TokenStream {
        let call = self.call(action);
        match &action.ty {
            Some(ty) if action.ascribe && !matches!(action.what, What::Submodel { .. }) => {
                quote! { ::core::convert::identity::<#ty>(#call) }
            }
            _ => call,
        }
    }

    fn call(&self, action: &Action) -> TokenStream {
        let span = mixed(action.span);
        let private = |function: &str| {
            let function = Ident::new(function, span);
            quote_spanned!(span=> ::ppl::__private::#function)
        };
        match &action.what {
            What::Sample { dist, obs: Some(obs), .. } => self.eager(action, private("observe"), &[dist, obs]),
            What::Sample { dist, mark: Mark::Auxiliary, .. } => self.eager(action, private("auxiliary"), &[dist]),
            What::Sample { dist, .. } => match self.model {
                Some(model) => self.eager(action, self.site_of_model(model, &action.name, span), &[dist]),
                None => self.eager(action, private("sample"), &[dist]),
            },
            What::Deterministic { value } => self.eager(action, private("deterministic"), &[value]),
            What::Factor { log_weight } => self.eager(action, private("factor"), &[log_weight]),
            What::Submodel { model, args } => self.submodel(action, private("submodel"), model, args),
            What::Module { build } => self.lazy(action, private("module"), build, None),
            What::Param { init, constraint: None } => self.lazy(action, private("param"), init, None),
            What::Param { init, constraint } => {
                self.lazy(action, private("param_constrained"), init, constraint.as_ref())
            }
            What::Plate { size, rows, body } => self.plate(action, size, rows, body.as_ref()),
            // Its loop takes it with it.
            What::Markov { .. } => TokenStream::new(),
        }
    }

    fn site_of_model(&self, model: &Path, name: &Name, span: Span) -> TokenStream {
        let (key, tuple) = (site::key(&name.pattern), &self.tuple);
        quote_spanned!(span=> (&::ppl::__private::Probe::<#model, #key, #tuple>::NEW).guide_sample)
    }

    /// A call whose arguments are evaluated before it. When one of them holds statements of its own, the handler is
    /// lent only after they are done.
    fn eager(&self, action: &Action, function: TokenStream, args: &[&Expr]) -> TokenStream {
        let values: Vec<_> = args.iter().map(|arg| self.expr(arg)).collect();
        let nested = args.iter().copied().chain(scale(action)).any(has_calls);
        self.apply(action, &function, &values, nested)
    }

    // Input:  `sample!("z", f(sample!("y", d)))`
    // Output: `identity(match (f(sample(..)),) { (__ppl_0,) => sample(&mut *__ppl_h, Address::fixed("z"), __ppl_0) })`
    // Input:  `sample!("z", d, scale = w)`
    // Output: `sample(scaled(&mut *__ppl_h, w), Address::fixed("z"), d)`
    fn apply(&self, action: &Action, function: &TokenStream, values: &[TokenStream], nested: bool) -> TokenStream {
        let (handler, address, span) = (handler(action.span), address(&action.name), mixed(action.span));
        let lent = match &action.what {
            What::Sample { mark: Mark::Enumerate, .. } => {
                quote_spanned!(span=> ::ppl::__private::enumerated(&mut *#handler))
            }
            _ => quote_spanned!(span=> &mut *#handler),
        };
        let scaled = |factor: TokenStream| quote_spanned!(span=> ::ppl::__private::scaled(#lent, #factor));
        let factor = scale(action).map(|factor| self.expr(factor));
        if !nested {
            let handler = factor.map_or_else(|| lent.clone(), scaled);
            return quote_spanned! {span=> #function(#handler, #address, #(#values),*) };
        }
        let name = |i: usize| format_ident!("__ppl_{}", i, span = Span::mixed_site());
        let taken: Vec<_> = (0..values.len()).map(name).collect();
        let last = factor.as_ref().map(|_| name(values.len()));
        let handler = match &last {
            Some(last) => scaled(quote!(#last)),
            None => lent.clone(),
        };
        let (values, taken) = (values.iter().chain(&factor), taken.iter().chain(&last));
        let arguments = taken.clone().take(values.clone().count() - usize::from(last.is_some()));
        quote_spanned! {span=>
            ::core::convert::identity(match (#(#values,)*) {
                (#(#taken,)*) => #function(#handler, #address, #(#arguments),*),
            })
        }
    }

    // Input:  `submodel!("enc", m(x))`
    // Output: `submodel(&mut *__ppl_h, Address::fixed("enc"), &m, (x,))`
    fn submodel(&self, action: &Action, function: TokenStream, model: &Expr, args: &[Expr]) -> TokenStream {
        let nested = has_calls(model) || args.iter().any(has_calls);
        let model = match model {
            Expr::Paren(inner) => self.expr(&inner.expr),
            other => self.expr(other),
        };
        let args = args.iter().map(|arg| self.expr(arg));
        let span = mixed(action.span);
        let values = [quote_spanned!(span=> &(#model)), quote_spanned!(span=> (#(#args,)*))];
        self.apply(action, &function, &values, nested)
    }

    // Input:  `param!("w", zeros())`, `param!("w", |init| init.normal(s, 1.0), constraint = c)`
    // Output: `param(h, Address::fixed("w"), |_| zeros())`, `param_constrained(h, .., |init| .., c)`
    fn lazy(&self, action: &Action, function: TokenStream, build: &Expr, constraint: Option<&Expr>) -> TokenStream {
        let tokens = self.expr(build);
        let is_value = matches!(action.what, What::Param { .. }) && !matches!(build, Expr::Closure(_));
        let build = if is_value { quote!(|_| #tokens) } else { tokens };
        let constraint = constraint.map(|constraint| self.expr(constraint));
        let (handler, address) = (handler(action.span), address(&action.name));
        quote_spanned! {mixed(action.span)=> #function(&mut *#handler, #address, #build, #constraint) }
    }

    // Input:  `plate!("data", n, |rows| body)`
    // Output: `plate(&mut *__ppl_h, Address::fixed("data"), n, PlateRows::All, |__ppl_h, rows| body)`
    fn plate(&self, action: &Action, size: &Expr, rows: &Rows, body: Option<&ExprClosure>) -> TokenStream {
        let (handler, address, size) = (handler(action.span), address(&action.name), self.expr(size));
        let rows = self.rows(rows);
        let Some(ExprClosure { capture, inputs, output, body, .. }) = body else { return TokenStream::new() };
        let body = self.expr(body);
        quote_spanned! {mixed(action.span)=>
            ::ppl::__private::plate(
                &mut *#handler,
                #address,
                #size,
                #rows,
                #capture |#handler: &mut dyn ::ppl::__private::Handler<Self::E, Self::D>, #inputs| #output #body,
            )
        }
    }

    fn rows(&self, rows: &Rows) -> TokenStream {
        match rows {
            Rows::All => quote!(::ppl::__private::PlateRows::All),
            Rows::Subsample(count) => {
                let count = self.expr(count);
                quote!(::ppl::__private::PlateRows::Subsample(#count))
            }
            Rows::Given(indices) => {
                let indices = self.expr(indices);
                quote!(::ppl::__private::PlateRows::given(#indices))
            }
        }
    }
}

/// The place of a span, with names of our own.
fn mixed(span: Span) -> Span {
    span.resolved_at(Span::mixed_site())
}

fn handler(span: Span) -> Ident {
    format_ident!("__ppl_h", span = mixed(span))
}

// Input:  `"w_{t}"`
// Output: `Address::indexed("w_{}", &[index(t)])`
fn address(name: &Name) -> TokenStream {
    let Name { pattern, indices, span, .. } = name;
    let span = mixed(*span);
    if indices.is_empty() {
        return quote_spanned! {span=> ::ppl::__private::Address::fixed(#pattern) };
    }
    quote_spanned! {span=> ::ppl::__private::Address::indexed(#pattern, &[#(::ppl::__private::SiteIndex::to_index(#indices)),*]) }
}

fn has_calls(expr: &Expr) -> bool {
    !placeholder::ids(expr.to_token_stream()).is_empty()
}

/// What a sample statement's log-density is multiplied by.
fn scale(action: &Action) -> Option<&Expr> {
    match &action.what {
        What::Sample { scale, .. } => scale.as_ref(),
        _ => None,
    }
}

/// Rewrites the constructs around statements: loops over plates, and closures that take the handler with them.
struct Shapes<'b, 'a>(&'b Body<'a>);

impl VisitMut for Shapes<'_, '_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        match expr {
            Expr::ForLoop(each) => {
                if let Some(block) = self.loop_over_plate(each).or_else(|| self.chain(each)) {
                    *expr = Expr::Block(block);
                }
            }
            Expr::Closure(closure) if closure.capture.is_some() && has_calls(&closure.body) => {
                *expr = Expr::Block(lent_handler(closure));
            }
            _ => {}
        }
    }

    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        if !matches!(stmt, Stmt::Item(_)) {
            visit_mut::visit_stmt_mut(self, stmt);
        }
    }
}

impl Shapes<'_, '_> {
    // Input:  `for i in plate!("data", n) { body }`
    // Output: `{ let mut __ppl_plate = LoopPlate::enter(&mut *__ppl_h, Address::fixed("data"), n, PlateRows::All);
    //            for i in __ppl_plate.rows() { let __ppl_h = __ppl_plate.handler(); body } }`
    fn loop_over_plate(&self, each: &ExprForLoop) -> Option<ExprBlock> {
        let action = placeholder::id(&each.expr).and_then(|id| self.0.action(id))?;
        let What::Plate { size, rows, body: None } = &action.what else { return None };
        let (size, rows) = (self.0.expr(size), self.0.rows(rows));
        let (handler, address) = (handler(action.span), address(&action.name));
        let plate = format_ident!("__ppl_plate", span = Span::mixed_site());
        let ExprForLoop { attrs, label, pat, body: Block { stmts, .. }, .. } = each;
        Some(parse_quote!({
            let mut #plate = ::ppl::__private::LoopPlate::enter(&mut *#handler, #address, #size, #rows);
            #(#attrs)*
            #label for #pat in #plate.rows() {
                let #handler = #plate.handler();
                #(#stmts)*
            }
        }))
    }
}

impl Shapes<'_, '_> {
    // Input:  `for t in markov!(0..n, history = 2) { body }`
    // Output: `{ let __ppl_steps = 0..n; let mut __ppl_chain = Markov::begin(&mut *__ppl_h, 2);
    //            for t in __ppl_steps { let __ppl_h = __ppl_chain.step(); body } }`
    fn chain(&self, each: &ExprForLoop) -> Option<ExprBlock> {
        let action = placeholder::id(&each.expr).and_then(|id| self.0.action(id))?;
        let What::Markov { steps, history } = &action.what else { return None };
        let (handler, steps) = (handler(action.span), self.0.expr(steps));
        let history = history.as_ref().map_or_else(|| quote!(1), |history| self.0.expr(history));
        let own = |name: &str| Ident::new(name, Span::mixed_site());
        let (around, chain) = (own("__ppl_steps"), own("__ppl_chain"));
        let ExprForLoop { attrs, label, pat, body: Block { stmts, .. }, .. } = each;
        Some(parse_quote!({
            let #around = #steps;
            let mut #chain = ::ppl::__private::Markov::begin(&mut *#handler, #history);
            #(#attrs)*
            #label for #pat in #around {
                let #handler = #chain.step();
                #(#stmts)*
            }
        }))
    }
}

// Input:  `move |x| sample!(..)`
// Output: `{ let __ppl_h = &mut *__ppl_h; move |x| sample!(..) }`
fn lent_handler(closure: &ExprClosure) -> ExprBlock {
    let handler = handler(closure.inputs_begin.span());
    parse_quote!({
        let #handler = &mut *#handler;
        #closure
    })
}
