//! Which latent sites belong to which block of a guide, and what each block is made of.

use ppl_core::address::fits;
use ppl_core::backend::Backend;
use ppl_core::{Dtype, Error};

use crate::gibbs::latent::Latent;
use crate::model_density::LatentSite;

use super::callable::AutoCallable;
use super::discrete::Table;
use super::family::Layout;
use super::part::Part;

/// The blocks of an [`AutoGuideList`](super::AutoGuideList): names of latent sites, and what guides them.
///
/// Names are full names, or their beginnings with a final `*`. Every latent site stands in exactly one block.
///
/// ```
/// use ppl_core::Cpu;
/// use ppl_infer::autoguide::{Blocks, Diagonal, DiscreteParallel, Full};
/// let blocks: Blocks<f64, Cpu> =
///     Blocks::new().block(["mu", "tau"], Full::default()).block(["z_*"], DiscreteParallel).rest(Diagonal::default());
/// # let _ = blocks;
/// ```
#[derive(Clone, Debug)]
pub struct Blocks<E: Dtype, D: Backend<E>, W = ()> {
    blocks: Vec<(Vec<String>, Option<Part<E, D>>)>,
    rest: Option<Part<E, D>>,
    pub(super) written: W,
}

impl<E: Dtype, D: Backend<E>> Blocks<E, D> {
    /// No blocks.
    pub fn new() -> Self {
        Blocks { blocks: Vec::new(), rest: None, written: () }
    }
}

impl<E: Dtype, D: Backend<E>> Default for Blocks<E, D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Dtype, D: Backend<E>, W> Blocks<E, D, W> {
    /// Adds a block of these sites with a family of their own. Its parameters have the prefix `block_0/`, `block_1/`, …,
    /// by the number of blocks before it.
    #[must_use]
    pub fn block<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>, part: impl Into<Part<E, D>>) -> Self {
        self.blocks.push((names.into_iter().map(Into::into).collect(), Some(part.into())));
        self
    }

    /// Adds a block of these sites that is written by hand.
    #[must_use]
    pub fn callable<N: Into<String>, G, Q>(
        mut self,
        names: impl IntoIterator<Item = N>,
        part: AutoCallable<G, Q>,
    ) -> Blocks<E, D, (W, AutoCallable<G, Q>)> {
        self.blocks.push((names.into_iter().map(Into::into).collect(), None));
        Blocks { blocks: self.blocks, rest: self.rest, written: (self.written, part) }
    }

    /// Puts all sites that no block names into a last one, whose parameters have the prefix `block_rest/`.
    #[must_use]
    pub fn rest(mut self, part: impl Into<Part<E, D>>) -> Self {
        self.rest = Some(part.into());
        self
    }

    /// With other parts that are written by hand: none, under another name.
    pub(super) fn with_written<V>(self, written: V) -> Blocks<E, D, V> {
        Blocks { blocks: self.blocks, rest: self.rest, written }
    }

    /// The block of each site; that of the rest comes last.
    ///
    /// # Errors
    /// A name without a site; a site in no block, or in two, or in one that cannot guide it.
    pub(super) fn partition(&self, latents: &[Latent]) -> Result<Vec<usize>, Error> {
        let mut places: Vec<Option<usize>> = vec![None; latents.len()];
        for (block, (names, _)) in self.blocks.iter().enumerate() {
            for name in names {
                for site in named(latents, name)? {
                    if places[site].is_some_and(|before| before != block) {
                        return Err(twice(&latents[site]));
                    }
                    places[site] = Some(block);
                }
            }
        }
        let rest = self.rest.as_ref().map(|_| self.blocks.len());
        let place = |(latent, place): (&Latent, Option<usize>)| {
            let block = place.or(rest).ok_or_else(|| left_out(latent))?;
            self.part(block).map_or(Ok(()), |part| suits(latent, part))?;
            Ok(block)
        };
        latents.iter().zip(places).map(place).collect()
    }

    /// What guides a block; nothing of one that is written by hand.
    pub(super) fn part(&self, block: usize) -> Option<&Part<E, D>> {
        self.blocks.get(block).map_or(self.rest.as_ref(), |(_, part)| part.as_ref())
    }

    /// The plan of a guide whose sites are in these blocks; the continuous ones of families begin at these numbers.
    ///
    /// # Errors
    /// Sites that do not fit their family; a discrete site without a list of values.
    pub(super) fn plan(
        &self,
        latents: &[Latent],
        places: &[usize],
        continuous: &Layout<E>,
        scoped: bool,
    ) -> Result<Plan<E, D>, Error> {
        let block = |(at, names): (usize, Option<&Vec<String>>)| {
            let mine =
                |name: &str| latents.iter().position(|latent| latent.name == name).is_some_and(|i| places[i] == at);
            let part = self.part(at).cloned();
            let tables = match &part {
                Some(part) if part.is_discrete() => {
                    latents.iter().filter(|latent| mine(&latent.name)).map(Table::of).collect::<Result<_, _>>()?
                }
                _ => Vec::new(),
            };
            let scope = scoped.then(|| names.map_or_else(|| "block_rest".to_owned(), |_| format!("block_{at}")));
            let names = names.cloned().unwrap_or_default();
            let layout = some(continuous, mine);
            part.as_ref().map_or(Ok(()), |part| part.check(&layout))?;
            Ok(Block { scope, part, names, layout, tables })
        };
        let names = self.blocks.iter().map(|(names, _)| Some(names)).chain(self.rest.iter().map(|_| None));
        let blocks = names.enumerate().map(block).collect::<Result<_, Error>>()?;
        Ok(Plan { blocks, sites: continuous.sites.clone() })
    }
}

/// Some sites of a layout, as one of their own.
fn some<E: Dtype>(layout: &Layout<E>, of: impl Fn(&str) -> bool) -> Layout<E> {
    let (mut sites, mut start) = (Vec::new(), Vec::new());
    for site in layout.sites.iter().filter(|site| of(&site.name)) {
        let first = start.len();
        start.extend_from_slice(&layout.start[site.range.clone()]);
        sites.push(LatentSite { range: first..start.len(), ..site.clone() });
    }
    Layout { sites, start }
}

/// The blocks of a guide.
#[derive(Clone, Debug)]
pub(super) struct Plan<E: Dtype, D: Backend<E>> {
    pub(super) blocks: Vec<Block<E, D>>,
    /// The continuous sites of all families, in the order of the model.
    pub(super) sites: Vec<LatentSite>,
}

/// A block of a guide.
#[derive(Clone, Debug)]
pub(super) struct Block<E: Dtype, D: Backend<E>> {
    /// What stands before the names of its parameters.
    pub(super) scope: Option<String>,
    /// Nothing where it is written by hand.
    pub(super) part: Option<Part<E, D>>,
    /// What its sites are called.
    pub(super) names: Vec<String>,
    /// Its continuous sites, where a family guides them.
    pub(super) layout: Layout<E>,
    /// Its discrete sites.
    pub(super) tables: Vec<Table>,
}

impl<E: Dtype, D: Backend<E>> Block<E, D> {
    /// Whether it was given a site's name.
    pub(super) fn names(&self, site: &str) -> bool {
        self.names.iter().any(|pattern| fits(pattern, site))
    }

    /// Whether it has no site of its own to guide: that of the rest may be left with none.
    pub(super) fn is_empty(&self) -> bool {
        self.part.is_some() && self.layout.sites.is_empty() && self.tables.is_empty()
    }

    /// Its first site, for errors.
    pub(super) fn first(&self) -> String {
        let site = self.layout.sites.first().map(|site| &site.name).or(self.tables.first().map(|table| &table.site));
        site.or(self.names.first()).cloned().unwrap_or_default()
    }
}

/// The sites of a name.
fn named(latents: &[Latent], name: &str) -> Result<Vec<usize>, Error> {
    let found: Vec<usize> = (0..latents.len()).filter(|&at| fits(name, &latents[at].name)).collect();
    if found.is_empty() {
        let known = latents.iter().map(|latent| format!("`{}`", latent.name)).collect::<Vec<_>>().join(", ");
        let problem = format!("a block of the guide names it, but no latent site is called so; there are {known}");
        return Err(Error::Site { site: name.to_owned(), problem });
    }
    Ok(found)
}

fn wrong(latent: &Latent, problem: String) -> Error {
    Error::Site { site: latent.name.clone(), problem }
}

fn twice(latent: &Latent) -> Error {
    wrong(
        latent,
        "it is in two blocks of the guide; every latent site must be in exactly one: name it in one of them".into(),
    )
}

fn left_out(latent: &Latent) -> Error {
    let part = if latent.discrete { "DiscreteParallel" } else { "PerSite::default()" };
    let problem = format!(
        "it ({}) is in no block of the guide; add `.block([\"{}\"], {part})`, or `.rest(..)` for all that are left",
        latent.distribution, latent.name
    );
    wrong(latent, problem)
}

/// Whether a part can guide a site.
fn suits<E: Dtype, D: Backend<E>>(latent: &Latent, part: &Part<E, D>) -> Result<(), Error> {
    let (distribution, part_name) = (latent.distribution, part.name());
    match (latent.discrete, part.is_discrete()) {
        (true, false) => Err(wrong(
            latent,
            format!(
                "values of {distribution} are discrete, and `{part_name}` guides continuous ones; put it into a block of \
                 `DiscreteParallel`, or write its guide by hand (`AutoCallable`)"
            ),
        )),
        (false, true) => Err(wrong(
            latent,
            format!(
                "values of {distribution} are continuous, and `{part_name}` guides discrete ones; put it into a block of another family"
            ),
        )),
        _ => Ok(()),
    }
}
