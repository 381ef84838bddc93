"""Campaigns in the database."""

from dataclasses import dataclass

from sqlmodel import col, select

from storage.database import Read, Write
from storage.records.campaigns import Campaign
from storage.records.document import canonical, digest, parse
from storage.tables.control import CampaignRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCampaign:
    """A campaign with the tag of its present state."""

    campaign: Campaign
    etag: str
    updated_at: int


def _stored(row: CampaignRow) -> StoredCampaign:
    return StoredCampaign(campaign=parse(Campaign, row.document), etag=row.etag, updated_at=row.updated_at)


def listed(read: Read) -> list[StoredCampaign]:
    """Return every campaign, by key."""
    return [_stored(row) for row in read.all(select(CampaignRow).order_by(col(CampaignRow.key)))]


def find(read: Read, key: str) -> StoredCampaign | None:
    """Return one campaign or None."""
    row = read.get(CampaignRow, key)
    return _stored(row) if row else None


def save(write: Write, campaign: Campaign, *, at: int) -> StoredCampaign:
    """Insert or replace a campaign."""
    row = CampaignRow(key=campaign.key, document=canonical(campaign), etag=digest(campaign), updated_at=at)
    write.merge(row)
    write.flush()
    return StoredCampaign(campaign=campaign, etag=row.etag, updated_at=at)
