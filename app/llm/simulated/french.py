"""The French that the simulated models have learned: words, a few genders, and phrases that no word list gets right."""

from __future__ import annotations

_WORDS = """
i=je you=vous he=il she=elle it=il we=nous they=ils me=moi him=lui her=elle us=nous them=eux this=ce that=ce these=ces
those=ces the=le a=un an=un my=mon your=votre his=son our=notre their=leur some=quelques any=aucun all=tous
every=chaque no=non yes=oui not=pas and=et or=ou but=mais because=parce if=si when=quand where=où who=qui what=que
why=pourquoi how=comment which=quel to=à at=à in=dans on=sur from=de of=de with=avec without=sans for=pour by=par
before=avant after=après near=près under=sous behind=derrière between=entre until=jusqu'à about=sur there=là here=ici
now=maintenant today=aujourd'hui tomorrow=demain yesterday=hier tonight=ce-soir always=toujours never=jamais
often=souvent again=encore already=déjà soon=bientôt later=plus-tard very=très too=trop also=aussi more=plus
less=moins much=beaucoup many=beaucoup only=seulement still=encore please=s'il-vous-plaît thanks=merci hello=bonjour
goodbye=au-revoir sorry=désolé is=est are=êtes am=suis was=était were=étaient be=être been=été have=avez has=a
had=avait do=faites does=fait did=a will=va can=pouvez could=pourriez would=voudrais must=devez should=devriez
may=pouvez want=voulez like=aime love=aime need=avez go=aller goes=va going=va went=est-allé come=venir comes=vient
came=est-venu see=voir saw=a-vu seen=vu look=regarder give=donner take=prendre took=a-pris bring=apporter send=envoyer
find=trouver found=a-trouvé lost=perdu lose=perdre buy=acheter bought=a-acheté sell=vendre sold=vendu pay=payer
paid=payé cost=coûte costs=coûte eat=manger drink=boire sleep=dormir work=travailler works=travaille live=habite
lives=habite know=sais knows=sait think=pense speak=parle speaks=parle say=dire said=a-dit tell=dire told=a-dit
ask=demander read=lire write=écrire open=ouvert opens=ouvre closed=fermé closes=ferme start=commencer starts=commence
begin=commencer begins=commence end=finir ends=finit leave=partir leaves=part arrive=arriver arrives=arrive
wait=attendre waiting=attend help=aider make=faire made=a-fait put=mettre call=appeler called=a-appelé
understand=comprends remember=souviens forget=oublier forgot=a-oublié learn=apprendre play=jouer plays=joue
close=fermer train=train bus=bus car=voiture plane=avion bicycle=vélo bike=vélo station=gare airport=aéroport
street=rue road=route bridge=pont city=ville town=ville village=village country=pays house=maison home=maison
room=chambre bedroom=chambre kitchen=cuisine garden=jardin door=porte window=fenêtre table=table chair=chaise bed=lit
key=clé keys=clés book=livre books=livres letter=lettre newspaper=journal phone=téléphone computer=ordinateur
shop=magasin market=marché bakery=boulangerie pharmacy=pharmacie hospital=hôpital doctor=médecin school=école
teacher=professeur student=étudiant museum=musée church=église hotel=hôtel restaurant=restaurant ticket=billet
tickets=billets bill=addition menu=carte bread=pain butter=beurre cheese=fromage milk=lait water=eau coffee=café
tea=thé wine=vin beer=bière sugar=sucre salt=sel apple=pomme apples=pommes fish=poisson meat=viande egg=œuf eggs=œufs
soup=soupe cake=gâteau breakfast=petit-déjeuner lunch=déjeuner dinner=dîner man=homme woman=femme child=enfant
children=enfants boy=garçon girl=fille friend=ami friends=amis mother=mère father=père brother=frère sister=sœur
son=fils daughter=fille grandmother=grand-mère grandfather=grand-père neighbour=voisin wife=femme husband=mari
people=gens family=famille dog=chien cat=chat bird=oiseau birds=oiseaux horse=cheval day=jour days=jours week=semaine
weeks=semaines month=mois year=an years=ans hour=heure hours=heures minute=minute minutes=minutes morning=matin
afternoon=après-midi evening=soir night=nuit monday=lundi tuesday=mardi wednesday=mercredi thursday=jeudi
friday=vendredi saturday=samedi sunday=dimanche spring=printemps summer=été autumn=automne winter=hiver weather=temps
rain=pluie sun=soleil snow=neige wind=vent sky=ciel sea=mer beach=plage mountain=montagne river=rivière tree=arbre
big=grand small=petit good=bon bad=mauvais new=nouveau old=vieux young=jeune hot=chaud cold=froid warm=chaud long=long
short=court high=haut beautiful=beau nice=agréable happy=content sad=triste tired=fatigué ill=malade hungry=faim
thirsty=soif late=tard early=tôt far=loin free=libre full=plein empty=vide expensive=cher cheap=bon-marché easy=facile
difficult=difficile red=rouge blue=bleu green=vert white=blanc black=noir yellow=jaune grey=gris right=droite
left=gauche next=prochain last=dernier first=premier second=deuxième one=un two=deux three=trois four=quatre five=cinq
six=six seven=sept eight=huit nine=neuf ten=dix time=temps money=argent job=travail problem=problème question=question
answer=réponse name=nom word=mot idea=idée than=que as=aussi out=dehors most=plupart while=pendant rather=plutôt
anyway=quand-même everywhere=partout nobody=personne noise=bruit card=carte glass=verre fridge=frigo floor=sol
leg=jambe hand=main head=tête film=film music=musique bag=sac coat=manteau shoes=chaussures jacket=veste
umbrella=parapluie glasses=lunettes lift=ascenseur seat=place meeting=réunion weekend=week-end parents=parents
neighbours=voisins doctor=médecin spanish=espagnol italian=italien german=allemand september=septembre june=juin
quarter=quart half=demi hundred=cent turn=tournez speaks=parle slowly=lentement well=bien badly=mal together=ensemble
alone=seul taken=occupé wet=mouillé salty=salé wrong=faux sure=sûr ready=prêt asleep=endormi married=marié stay=rester
smoke=fumer run=courir walk=marcher cook=cuisiner sing=chanter dance=danser swim=nager cut=couper lock=fermer
finish=finir meet=rencontrer miss=rater something=quelque-chose nothing=rien someone=quelqu'un everything=tout
french=français english=anglais france=france
"""
WORDS: dict[str, str] = dict(pair.split("=") for pair in _WORDS.split())
"""One word for one word; a hyphen in the French stands for a space unless the word is spelled with one."""

SPELLED_WITH_HYPHEN = frozenset({"grand-mère", "grand-père", "petit-déjeuner", "après-midi", "week-end"})

_FEMININE = """
voiture gare rue route ville maison chambre cuisine porte fenêtre table chaise clé lettre boulangerie pharmacie école
église addition carte eau bière pomme viande soupe femme fille mère sœur grand-mère famille semaine heure minute nuit
pluie neige mer plage montagne rivière question réponse idée jambe main tête musique veste place réunion
"""
FEMININE = frozenset(_FEMININE.split())

PHRASES: dict[str, str] = {
    "good morning": "bonjour",
    "good evening": "bonsoir",
    "good night": "bonne nuit",
    "thank you": "merci",
    "thank you very much": "merci beaucoup",
    "how are you": "comment allez-vous",
    "excuse me": "excusez-moi",
    "i would like": "je voudrais",
    "i'd like": "je voudrais",
    "i am": "je suis",
    "i'm": "je suis",
    "i have": "j'ai",
    "i need": "j'ai besoin de",
    "i want": "je veux",
    "i can": "je peux",
    "i can't": "je ne peux pas",
    "i cannot": "je ne peux pas",
    "i don't know": "je ne sais pas",
    "i don't understand": "je ne comprends pas",
    "i like": "j'aime",
    "i love": "j'aime",
    "i live": "j'habite",
    "i work": "je travaille",
    "i am hungry": "j'ai faim",
    "i am thirsty": "j'ai soif",
    "i am cold": "j'ai froid",
    "i am looking for": "je cherche",
    "i'm looking for": "je cherche",
    "we are": "nous sommes",
    "we have": "nous avons",
    "we need": "nous avons besoin de",
    "they are": "ils sont",
    "they have": "ils ont",
    "you have": "vous avez",
    "he has": "il a",
    "she has": "elle a",
    "is there": "y a-t-il",
    "there is": "il y a",
    "there are": "il y a",
    "it is": "c'est",
    "it's": "c'est",
    "this is": "c'est",
    "that is": "c'est",
    "it is raining": "il pleut",
    "it is snowing": "il neige",
    "it is cold": "il fait froid",
    "it is hot": "il fait chaud",
    "where is": "où est",
    "where are": "où sont",
    "what time": "à quelle heure",
    "what time is it": "quelle heure est-il",
    "how much": "combien",
    "how much does it cost": "combien ça coûte",
    "how many": "combien de",
    "do you have": "avez-vous",
    "do you speak": "parlez-vous",
    "do you know": "savez-vous",
    "can you": "pouvez-vous",
    "could you": "pourriez-vous",
    "would you like": "voulez-vous",
    "are you": "êtes-vous",
    "a lot of": "beaucoup de",
    "in the morning": "le matin",
    "in the afternoon": "l'après-midi",
    "in the evening": "le soir",
    "at home": "à la maison",
    "every day": "tous les jours",
    "last night": "hier soir",
    "last week": "la semaine dernière",
    "next week": "la semaine prochaine",
    "next year": "l'année prochaine",
    "at once": "tout de suite",
    "of course": "bien sûr",
    "see you tomorrow": "à demain",
    "see you soon": "à bientôt",
    "happy birthday": "joyeux anniversaire",
    "to the left": "à gauche",
    "to the right": "à droite",
    "next to": "à côté de",
    "in front of": "devant",
    "years old": "ans",
    "of the": "du",
    "to the": "au",
    "at the": "au",
    "in the": "dans le",
    "because of": "à cause de",
    "there is no": "il n'y a pas de",
    "i don't": "je ne",
    "i do not": "je ne",
    "don't": "ne",
    "i have to": "je dois",
    "we had to": "nous avons dû",
    "are going to": "vont",
    "is going to": "va",
    "we missed": "nous avons raté",
    "i forgot": "j'ai oublié",
    "he is afraid of": "il a peur de",
    "i was": "j'étais",
    "they got": "ils se sont",
    "would you": "pourriez-vous",
    "on sundays": "le dimanche",
    "on mondays": "le lundi",
    "for an hour": "depuis une heure",
    "this morning": "ce matin",
    "at the weekend": "le week-end",
    "by card": "par carte",
    "can i": "est-ce que je peux",
    "may i": "est-ce que je peux",
    "you should": "vous devriez",
    "you are": "vous êtes",
    "you are right": "vous avez raison",
    "i was wrong": "j'avais tort",
    "be careful": "attention",
    "because": "parce que",
}
"""Used only where the prompt asks for natural French; otherwise the model goes word by word."""

LANGUAGES = (
    "french", "german", "spanish", "italian", "portuguese", "dutch", "english", "polish", "japanese", "chinese",
)  # fmt: skip
