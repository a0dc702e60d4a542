"""Model configs by name: found, saved in revisions, cloned, switched on and off, deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from app.ports.llm import Json
from app.services.errors import Invalid, NotFound, Problem
from app.services.models.checks import LONGEST_NAME, ConfigForm, checked_name, read
from app.store.models import ModelConfig, ModelConfigRevision

FIELDS = ("model", "api_base", "region", "params", "target_rpm", "price")
"""What a revision says."""


def list_configs(
    session: Session, *, only_active: bool = False, after: str = "", limit: int | None = None
) -> list[ModelConfig]:
    """The configs by name, with their revisions. after: name of the last one of the page before."""
    query = _alive().options(selectinload(ModelConfig.revisions)).order_by(ModelConfig.name).limit(limit)
    query = query.where(ModelConfig.name > after) if after else query
    return list(session.scalars(query.where(ModelConfig.active) if only_active else query))


def get(session: Session, name: str) -> ModelConfig:
    """The config of that name. Raises: NotFound."""
    found = session.scalars(_alive().where(ModelConfig.name == checked_name(name, []))).one_or_none()
    if found is None:
        raise NotFound(f"there is no model config called {name[:LONGEST_NAME]!r}")
    return found


def by_id(session: Session, config_id: int) -> ModelConfig:
    """The config with that id. Raises: NotFound."""
    found = session.scalars(_alive().where(ModelConfig.id == config_id)).one_or_none()
    if found is None:
        raise NotFound(f"there is no model config with the number {config_id}")
    return found


def head(config: ModelConfig) -> ModelConfigRevision:
    """The revision in force: the newest."""
    return config.revisions[-1]


def revision(config: ModelConfig, number: int) -> ModelConfigRevision:
    """One revision. Raises: NotFound."""
    found = next((one for one in config.revisions if one.number == number), None)
    if found is None:
        raise NotFound(f"{config.name} has no revision {number}")
    return found


def create(session: Session, name: str, said: Mapping[str, Json], *, active: bool = True) -> ModelConfig:
    """A new config with its revision 1. Raises: Invalid with every problem."""
    problems: list[Problem] = []
    check_name(session, name, problems)
    form, wrong = read(said)
    problems += wrong
    if problems or form is None:
        raise Invalid(problems)
    name = checked_name(name, problems)
    config = new(name, form, active=active)
    session.add(config)
    _commit(session, name)
    return config


def check_name(session: Session, name: str, problems: list[Problem]) -> None:
    """Add to the problems what stands against a new config of that name."""
    found: list[Problem] = []
    name = checked_name(name, found)
    if not found and _taken(session, name):
        found.append(name_taken(name))
    problems += found


def new(name: str, form: ConfigForm, *, active: bool = True) -> ModelConfig:
    """The rows of a checked config, not yet in any session."""
    return ModelConfig(name=name, active=active, revisions=[ModelConfigRevision(number=1, **form.model_dump())])


def save(session: Session, config: ModelConfig, said: Mapping[str, Json]) -> ModelConfigRevision:
    """A new revision; the newest itself when it says the same. Runs keep the one that they pinned. Raises: Invalid."""
    form, problems = read(said)
    if problems or form is None:
        raise Invalid(problems)
    session.scalars(select(ModelConfig.id).where(ModelConfig.id == config.id).with_for_update()).one()
    session.refresh(config, ["revisions"])
    made = revise(config, form)
    session.commit()
    return made


def revise(config: ModelConfig, form: ConfigForm) -> ModelConfigRevision:
    """The revision that says what the form says: a new one, or the newest."""
    current = head(config)
    if says(current) == form.model_dump():
        return current
    made = ModelConfigRevision(number=current.number + 1, **form.model_dump())
    config.revisions.append(made)
    return made


def rename(session: Session, config: ModelConfig, name: str) -> None:
    """Give it another name; runs have pinned the old one. Raises: Invalid."""
    problems: list[Problem] = []
    name = checked_name(name, problems)
    if name == config.name:
        return
    check_name(session, name, problems)
    if problems:
        raise Invalid(dict.fromkeys(problems))
    config.name = name
    _commit(session, name)


def clone(session: Session, config: ModelConfig, name: str = "") -> ModelConfig:
    """A new config that says what the newest revision says. name: "" for one made from the old. Raises: Invalid."""
    return create(session, name or free_name(session, config.name), says(head(config)))


def free_name(session: Session, base: str) -> str:
    """base followed by the first number that makes it a name of its own."""
    base = base[: LONGEST_NAME - 10]
    taken = set(session.scalars(select(ModelConfig.name).where(ModelConfig.name.startswith(base, autoescape=True))))
    return next(name for name in (f"{base} {n}" for n in range(2, len(taken) + 3)) if name not in taken)


def set_active(session: Session, config: ModelConfig, active: bool) -> None:
    """Offer it to new runs, or not any more."""
    config.active = active
    session.commit()


def delete(session: Session, config: ModelConfig) -> None:
    """Take a config out of the lists. Runs have pinned what they used."""
    config.name = f"{config.name[: LONGEST_NAME - 30]} #deleted-{config.id}"  # "#" is in no name that a person may give
    config.deleted_at = dt.datetime.now(dt.UTC)
    session.commit()


def says(revision: ModelConfigRevision) -> dict[str, Any]:
    """What a revision says, as it can be saved again."""
    return {field: getattr(revision, field) for field in FIELDS}


def differences(before: ModelConfigRevision, after: ModelConfigRevision) -> list[tuple[str, Json, Json]]:
    """(field, before, after) of everything that two revisions do not share; parameters and prices each by name."""
    left, right = _flat(says(before)), _flat(says(after))
    names = [*left, *(name for name in right if name not in left)]
    return [(name, left.get(name), right.get(name)) for name in names if left.get(name) != right.get(name)]


def name_taken(name: str) -> Problem:
    """The problem of a name that another config has."""
    return Problem("name", f"there is a model config called {name!r} already; choose another name")


def _flat(said: Mapping[str, Json]) -> dict[str, Json]:
    price = {f"price_{key}": value for key, value in (said["price"] or {}).items()}
    return {**{key: said[key] for key in ("model", "api_base", "region", "target_rpm")}, **said["params"], **price}


def _alive() -> Select[ModelConfig]:
    return select(ModelConfig).where(ModelConfig.deleted_at.is_(None))


def _taken(session: Session, name: str) -> bool:
    return session.scalar(select(ModelConfig.id).where(ModelConfig.name == name)) is not None


def _commit(session: Session, name: str) -> None:
    try:
        session.commit()
    except IntegrityError:  # somebody else took the name in the meantime
        session.rollback()
        raise Invalid([name_taken(name)]) from None
