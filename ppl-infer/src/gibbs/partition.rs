//! Which sites belong to which block, and whether the block's kernel can move them.

use super::error::GibbsError;
use super::latent::{Latent, matches};
use super::rule::{DiscreteMetropolis, Rule};

/// The sites of each block, in the order of the model.
///
/// # Errors
/// A name without a site; a site in no block, or in two; one that the block's kernel cannot move.
pub(super) fn partition(latents: &[Latent], blocks: &[(Vec<String>, Rule)]) -> Result<Vec<Vec<usize>>, GibbsError> {
    let mut taken = vec![false; latents.len()];
    let mut all = Vec::new();
    for (names, rule) in blocks {
        let mut sites = Vec::new();
        for name in names {
            sites.extend(named(latents, name)?);
        }
        for &site in &sites {
            if std::mem::replace(&mut taken[site], true) {
                return Err(GibbsError::Twice { site: latents[site].name.clone() });
            }
            suits(&latents[site], rule)?;
        }
        sites.sort_unstable();
        all.push(sites);
    }
    match taken.iter().position(|taken| !taken) {
        Some(left_out) => Err(left_out_error(&latents[left_out])),
        None => Ok(all),
    }
}

/// The sites of a name or pattern.
fn named(latents: &[Latent], name: &str) -> Result<Vec<usize>, GibbsError> {
    let found: Vec<usize> = (0..latents.len()).filter(|&at| matches(name, &latents[at].name)).collect();
    if found.is_empty() {
        let known = latents.iter().map(|latent| format!("`{}`", latent.name)).collect::<Vec<_>>().join(", ");
        return Err(GibbsError::NoSite { name: name.to_owned(), known });
    }
    Ok(found)
}

fn left_out_error(latent: &Latent) -> GibbsError {
    let kernel = match latent.support {
        _ if !latent.discrete => "NutsOptions::default()",
        Some(_) => "Enumerate::default()",
        None => "DiscreteMetropolis::Prior",
    };
    GibbsError::LeftOut { site: latent.name.clone(), distribution: latent.distribution, kernel }
}

/// Whether a rule can move a site.
fn suits(latent: &Latent, rule: &Rule) -> Result<(), GibbsError> {
    let problem = match (rule, latent.discrete) {
        (Rule::Own(_), _) if latent.numbers.is_none() => "has values that are not made of numbers",
        (Rule::Tuned(_), true) => {
            "is discrete, and has no unconstrained numbers; give it to `Enumerate` or `DiscreteMetropolis`"
        }
        (Rule::Enumerate(_) | Rule::Discrete(_), false) => {
            "is continuous, and has no list of values; give it to `NutsOptions`, `HmcOptions` or `MetropolisOptions`"
        }
        (Rule::Enumerate(_) | Rule::Discrete(_), true) if latent.numbers.is_none() => {
            "has values that are not made of numbers"
        }
        (Rule::Enumerate(_), true) if latent.support.is_none() => {
            "has not finitely many values, equal for all elements; give it to `DiscreteMetropolis::Prior`"
        }
        (Rule::Discrete(DiscreteMetropolis::Uniform), true) if latent.support.is_none() => {
            "has not finitely many values, equal for all elements; propose from `DiscreteMetropolis::Prior`"
        }
        _ => return Ok(()),
    };
    Err(GibbsError::Unsuitable { site: latent.name.clone(), distribution: latent.distribution, problem })
}
