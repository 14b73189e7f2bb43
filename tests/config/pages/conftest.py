import pytest
from django.contrib.auth.models import Group, Permission, User

from config import roles
from tests.factories import AdminFactory


@pytest.fixture
def admin(client, db):
    client.force_login(AdminFactory())
    return client


@pytest.fixture
def editor(db) -> User:
    """A member of the role Editor, in no team."""
    roles.make(Group, Permission)
    user = User.objects.create(username="noor", is_staff=True)
    user.groups.add(Group.objects.get(name="Editor"))
    return user
