//! What the expansion of `#[model]` and `#[guide]` calls: one function a statement.

use crate::address::Address;
use crate::backend::Backend;
use crate::constraint::{Constraint, Support};
use crate::distribution::Distribution;
use crate::distributions::{Delta, Unit};
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::{Context, Handler};
use crate::model::Model;
use crate::params::{Init, Initial, Module, TypedParam};
use crate::plate::{Plate, PlateRows, Rows, Step};
use crate::rng::Rng;
use crate::site::{SampleSite, SiteKind, SiteMask, SiteState, TypedSite};
use crate::tensor::Tensor;
use crate::transform::Map;
use crate::values::{IntoObserved, SiteValue};

use dfdx::shapes::Shape;

type Handle<'h, E, D> = &'h mut dyn Handler<E, D>;

/// `sample!(name, distribution)`.
pub fn sample<E: Dtype, D: Backend<E>, P: Distribution<E, D>>(h: Handle<'_, E, D>, name: Address, dist: P) -> P::Value {
    statement(h, name, dist, None, SiteKind::Sample)
}

/// `sample!(name, distribution, obs = observed)`.
pub fn observe<E: Dtype, D: Backend<E>, P: Distribution<E, D>>(
    h: Handle<'_, E, D>,
    name: Address,
    dist: P,
    observed: impl IntoObserved<P::Value>,
) -> P::Value {
    statement(h, name, dist, observed.into_observed(), SiteKind::Sample)
}

/// `sample!(name, distribution, auxiliary)` in a guide.
pub fn auxiliary<E: Dtype, D: Backend<E>, P: Distribution<E, D>>(
    h: Handle<'_, E, D>,
    name: Address,
    dist: P,
) -> P::Value {
    statement(h, name, dist, None, SiteKind::Auxiliary)
}

/// `scale = factor` in a sample statement: multiplies its log-density. The statement is the next one of the
/// handler that is lent on.
pub fn scaled<E: Dtype, D: Backend<E>>(h: Handle<'_, E, D>, factor: impl Into<f64>) -> Handle<'_, E, D> {
    h.context().scale_next(factor.into());
    h
}

/// `enumerate` in a sample statement: inference that can sums over all its values. The statement is the next one of the
/// handler that is lent on.
pub fn enumerated<E: Dtype, D: Backend<E>>(h: Handle<'_, E, D>) -> Handle<'_, E, D> {
    h.context().enumerate_next();
    h
}

/// `factor!(name, log_weight)`: a term of the log-density, in plates one for each of their elements.
pub fn factor<E: Dtype, D: Backend<E>, S: Shape>(h: Handle<'_, E, D>, name: Address, log_weight: Tensor<S, E, D>) {
    statement(h, name, Unit::new(log_weight), Some(()), SiteKind::Factor);
}

/// `deterministic!(name, value)`.
pub fn deterministic<E: Dtype, D: Backend<E>, V: SiteValue>(h: Handle<'_, E, D>, name: Address, value: V) -> V {
    statement(h, name, Delta::certain(value.clone()), Some(value), SiteKind::Deterministic)
}

/// The protocol of a sample statement; its steps stand at [`Handler`].
fn statement<E: Dtype, D: Backend<E>, P: Distribution<E, D>>(
    h: Handle<'_, E, D>,
    name: Address,
    dist: P,
    value: Option<P::Value>,
    kind: SiteKind,
) -> P::Value {
    let context = h.context();
    let factor = context.take_scale();
    let enumerate = context.take_enumerates();
    let mut state = site_state(context, name, kind, value.is_some());
    state.enumerate = enumerate && !state.observed;
    if factor > 0.0 && factor.is_finite() {
        state.scale *= factor;
    } else {
        let problem = format!("a scale must be positive and finite, but it is {factor}");
        context.report(Error::Site { site: state.address.to_string(), problem });
    }
    let mut site = TypedSite::new(state, dist, None);
    prepare(&mut site, value, h.context());
    h.sample(&mut site);
    if !site.has_value() {
        let problem = "no handler gave it a value: the innermost handler must draw".into();
        let context = h.context();
        context.report(Error::Site { site: site.name().to_owned(), problem });
        site.draw(&mut context.rng);
    }
    site.into_value().expect("drawn above where no handler set it")
}

/// Name, scale and plates from where the run stands.
fn site_state(context: &Context, name: Address, kind: SiteKind, observed: bool) -> SiteState {
    let frames = context.frames().clone();
    SiteState {
        address: name.under(context.scope()),
        kind,
        observed: observed && kind == SiteKind::Sample,
        scale: frames.iter().map(|f| f.scale()).product(),
        mask: SiteMask::All(true),
        frames,
        steps: context.steps().clone(),
        enumerate: false,
    }
}

/// Sets the observed value and checks parameters and shapes; what is wrong is reported, and the run
/// goes on without the observation.
fn prepare<E: Dtype, D: Backend<E>, P: Distribution<E, D>>(
    site: &mut TypedSite<P, E, D>,
    value: Option<P::Value>,
    context: &mut Context,
) {
    if let Some(value) = value {
        let set = site.observe(value);
        site.state_mut().observed &= set.is_ok();
        context.check(set);
    }
    if context.validate
        && let Err(wrong) = site.distribution().check_parameters()
    {
        context.report(Error::Parameter {
            site: site.name().to_owned(),
            distribution: SampleSite::distribution(site),
            parameter: wrong.parameter,
            value: wrong.value,
            element: wrong.element,
            constraint: wrong.constraint,
            step: None,
        });
    }
    if site.state().is_scored() {
        let shape = site.distribution().batch_shape();
        if let Err(error) = fits_plates(site.state(), shape) {
            context.report(error);
            // The rest of the run takes the site as it is: outside of plates that it does not fit.
            site.state_mut().frames.clear();
        }
    }
}

/// The k-th axis of the batch belongs to the k-th vectorised plate and has its size.
fn fits_plates<S: Shape>(state: &SiteState, shape: S) -> Result<(), Error> {
    let mut sizes = shape.concrete().into_iter();
    for (axis, frame) in state.frames.iter().filter(|f| !f.is_loop).enumerate() {
        if sizes.next() != Some(frame.len) {
            let shape = shape.concrete().into();
            let (site, plate) = (state.address.to_string(), frame.name.to_string());
            return Err(Error::PlateShape { site, plate, shape, axis, size: frame.len });
        }
    }
    Ok(())
}

/// `param!(name, init)`.
pub fn param<E: Dtype, D: Backend<E>, S: Shape>(
    h: Handle<'_, E, D>,
    name: Address,
    init: impl FnOnce(&mut Init<E, D>) -> Tensor<S, E, D>,
) -> Tensor<S, E, D> {
    supplied(h, name, None, |source| (init(source), Ok(())))
}

/// `param!(name, init, constraint = constraint)`.
pub fn param_constrained<E: Dtype, D: Backend<E>, S: Shape, C: Constraint<E, D>>(
    h: Handle<'_, E, D>,
    name: Address,
    init: impl FnOnce(&mut Init<E, D>) -> Tensor<S, E, D>,
    constraint: C,
) -> Tensor<S, E, D> {
    let constraint: Support<E, D> = std::sync::Arc::new(constraint);
    let full_name = name.clone().under(h.context().scope());
    let first = |source: &mut Init<E, D>| unconstrained(&full_name, &constraint, init(source));
    let free = supplied(h, name, Some(constraint.clone()), first);
    let shape = free.shape();
    match map_onto(&constraint, &free.dims()) {
        Some(map) => map.forward(free.into_flat()).reshape_like(&shape),
        None => free,
    }
}

/// The map of as many numbers as the tensor has onto the constraint; `None` where there is none.
fn map_onto<E: Dtype, D: Backend<E>>(constraint: &Support<E, D>, dims: &[usize]) -> Option<Map<E, D>> {
    let map = constraint.transform_to(dims)?;
    let (from, to) = map.event_lens();
    (from == to).then_some(map)
}

/// Unconstrained numbers of an initial value; zeros, which every constraint maps into its set, where
/// the value lies outside.
fn unconstrained<E: Dtype, D: Backend<E>, S: Shape>(
    name: &Address,
    constraint: &Support<E, D>,
    initial: Tensor<S, E, D>,
) -> Initial<Tensor<S, E, D>> {
    let shape = initial.shape();
    let dims = initial.dims();
    let wrong = initial.read(|values| constraint.violation(values, &dims).map(|at| (at, values[at].wide())));
    let problem = match (wrong, map_onto(constraint, &dims)) {
        (None, Some(map)) => return (map.inverse(initial.into_flat()).reshape_like(&shape), Ok(())),
        (Some((at, value)), _) => {
            format!("its initial value is {value} at element {at}, but it must be {}", constraint.describe())
        }
        (None, None) => format!("no unconstrained numbers can be mapped onto what is {}", constraint.describe()),
    };
    let error = Error::Param { param: name.to_string(), problem };
    (Tensor::full_like(E::of(0.0), shape), Err(error))
}

/// `module!(name, build)`.
pub fn module<E: Dtype, D: Backend<E>, M: Module<E, D>>(
    h: Handle<'_, E, D>,
    name: Address,
    build: impl FnOnce(&mut Init<E, D>) -> M,
) -> M {
    supplied(h, name, None, |source| (build(source), Ok(())))
}

/// The value that the handlers give a parameter statement, or its own initial value after an error.
fn supplied<E: Dtype, D: Backend<E>, M: Module<E, D>>(
    h: Handle<'_, E, D>,
    name: Address,
    constraint: Option<Support<E, D>>,
    init: impl FnOnce(&mut Init<E, D>) -> Initial<M>,
) -> M {
    let name = name.under(h.context().scope());
    let mut site = TypedParam::new(name.clone(), constraint, init);
    h.param(&mut site);
    match site.into_value() {
        Ok(value) => value,
        Err(init) => {
            let context = h.context();
            let problem = "no handler gave it a value".to_owned();
            context.report(Error::Param { param: name.to_string(), problem });
            let init = init.expect("an initialiser that was used has set the value");
            init(&mut Init::new(Rng::named(0, name.as_str()))).0
        }
    }
}

/// The beginning of `plate!(name, size, |rows| ..)`; the rows that are in this run.
pub fn enter_plate<E: Dtype, D: Backend<E>>(h: Handle<'_, E, D>, name: Address, size: usize, ask: PlateRows) -> Rows {
    enter(h, name, size, ask, false)
}

/// The beginning of `for i in plate!(name, size) { .. }`.
pub fn enter_loop_plate<E: Dtype, D: Backend<E>>(
    h: Handle<'_, E, D>,
    name: Address,
    size: usize,
    ask: PlateRows,
) -> Rows {
    enter(h, name, size, ask, true)
}

fn enter<E: Dtype, D: Backend<E>>(
    h: Handle<'_, E, D>,
    name: Address,
    size: usize,
    ask: PlateRows,
    is_loop: bool,
) -> Rows {
    let address = name.under(h.context().scope());
    let rows = if let PlateRows::Given(rows) = &ask { Some(rows.clone()) } else { None };
    let mut plate = Plate { address, size, ask, is_loop, rows: None };
    h.enter_plate(&mut plate);
    plate.rows.or(rows).unwrap_or_else(|| Rows::all(size))
}

/// The end of a plate.
pub fn exit_plate<E: Dtype, D: Backend<E>>(h: Handle<'_, E, D>, name: Address) {
    let address = name.under(h.context().scope());
    h.exit_plate(&Plate { address, size: 0, ask: PlateRows::All, is_loop: false, rows: None });
}

/// `plate!(name, size, |rows| body)`: the body runs once, on all rows together.
pub fn plate<E: Dtype, D: Backend<E>, R>(
    h: Handle<'_, E, D>,
    name: Address,
    size: usize,
    ask: PlateRows,
    body: impl FnOnce(Handle<'_, E, D>, Rows) -> R,
) -> R {
    let rows = enter_plate(&mut *h, name.clone(), size, ask);
    let output = body(&mut *h, rows);
    exit_plate(h, name);
    output
}

/// `for i in plate!(name, size)`: a plate that ends with the loop, however the loop is left.
pub struct LoopPlate<'h, E: Dtype, D: Backend<E>> {
    handler: Handle<'h, E, D>,
    name: Address,
    rows: Rows,
    begun: usize,
}

impl<'h, E: Dtype, D: Backend<E>> LoopPlate<'h, E, D> {
    /// Begins the plate.
    pub fn enter(handler: Handle<'h, E, D>, name: Address, size: usize, ask: PlateRows) -> Self {
        let rows = enter_loop_plate(&mut *handler, name.clone(), size, ask);
        LoopPlate { handler, name, rows, begun: 0 }
    }

    /// The indices that the loop runs through.
    pub fn rows(&self) -> impl Iterator<Item = usize> + use<E, D> {
        self.rows.iter()
    }

    /// The handler, for the statements of the next round of the loop.
    pub fn handler(&mut self) -> Handle<'_, E, D> {
        let context = self.handler.context();
        let name = self.name.clone().under(context.scope());
        context.iterate(name.as_str(), self.begun);
        self.begun += 1;
        &mut *self.handler
    }
}

impl<E: Dtype, D: Backend<E>> Drop for LoopPlate<'_, E, D> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            exit_plate(&mut *self.handler, self.name.clone());
        }
    }
}

/// `for t in markov!(steps, history = h)`: a loop in which each round depends on the last `h` rounds at most.
pub struct Markov<'h, E: Dtype, D: Backend<E>> {
    handler: Handle<'h, E, D>,
    depth: usize,
    next: Step,
}

impl<'h, E: Dtype, D: Backend<E>> Markov<'h, E, D> {
    /// Begins the chain.
    pub fn begin(handler: Handle<'h, E, D>, history: usize) -> Self {
        let (depth, next) = handler.context().begin_chain(history);
        Markov { handler, depth, next }
    }

    /// The handler, for the statements of the next step.
    pub fn step(&mut self) -> Handle<'_, E, D> {
        self.handler.context().step(self.depth, self.next);
        self.next.at += 1;
        &mut *self.handler
    }
}

impl<E: Dtype, D: Backend<E>> Drop for Markov<'_, E, D> {
    fn drop(&mut self) {
        self.handler.context().end_chain(self.depth);
    }
}

/// `submodel!(name, model(args))`.
pub fn submodel<A, M: Model<A>>(h: Handle<'_, M::E, M::D>, name: Address, model: &M, args: A) -> M::Output {
    let entered = h.context().enter(name.as_str());
    let output = model.run(h, args);
    h.context().leave(entered);
    output
}
